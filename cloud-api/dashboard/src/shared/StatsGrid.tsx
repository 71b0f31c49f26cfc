import type { ReactNode } from "react";
import classes from "./Figure.module.css";

/** Figures side by side, in one sheet. */
export function StatsGrid({ children }: { children: ReactNode }) {
  return <dl className={classes.grid}>{children}</dl>;
}
