import { Brand } from "./Brand";
import { SchemeSwitch } from "./SchemeSwitch";
import classes from "./Shell.module.css";

export function TopBar() {
  return (
    <header className={classes.top}>
      <Brand />
      <SchemeSwitch />
    </header>
  );
}
