import { NavLink } from "react-router";
import { useUser } from "@/session/store";
import classes from "./NavLinks.module.css";
import { sectionsFor } from "./navigation";

export function NavLinks() {
  const { role } = useUser();
  return (
    <ul className={classes.sections}>
      {sectionsFor(role).map(({ label, places }) => (
        <li key={label}>
          <p className={classes.label}>{label}</p>
          <ul>
            {places.map(({ to, label: name, icon: Icon }) => (
              <li key={to}>
                <NavLink to={to} end className={classes.link!}>
                  <Icon size={19} stroke={1.6} aria-hidden />
                  {name}
                </NavLink>
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
