import { IconMenu2 } from "@tabler/icons-react";
import { NavLink } from "react-router";
import { primary } from "./navigation";
import classes from "./Shell.module.css";

interface Props {
  open: boolean;
  onMenu: () => void;
}

/** The bar at the foot of a phone: the three most used places, and the menu with all of them. */
export function PhoneBar({ open, onMenu }: Props) {
  return (
    <nav aria-label="Main" className={classes.bar}>
      {primary.map(({ to, label, icon: Icon }) => (
        <NavLink key={to} to={to} end className={classes.tab!}>
          <Icon size={22} stroke={1.6} aria-hidden />
          {label}
        </NavLink>
      ))}
      <button type="button" className={classes.tab} aria-haspopup="dialog" aria-expanded={open} onClick={onMenu}>
        <IconMenu2 size={22} stroke={1.6} aria-hidden />
        Menu
      </button>
    </nav>
  );
}
