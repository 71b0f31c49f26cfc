import classes from "./charts.module.css";

export interface LegendEntry {
  label: string;
  color: string;
}

export function Legend({ entries }: { entries: LegendEntry[] }) {
  return (
    <ul className={classes.legend}>
      {entries.map(({ label, color }) => (
        <li key={label}>
          <span className={classes.swatch} style={{ background: color }} />
          {label}
        </li>
      ))}
    </ul>
  );
}
