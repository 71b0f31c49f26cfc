import { Skeleton } from "@mantine/core";
import { type ReactNode, Suspense } from "react";
import classes from "./charts.module.css";

interface Props {
  /** Says what is drawn, for whoever does not see it. */
  label: string;
  height: number;
  chart: ReactNode;
  below?: ReactNode;
  header: string[];
  rows: string[][];
}

/** A chart with its name and, folded, its figures as a table. */
export function ChartFrame({ label, height, chart, below, header, rows }: Props) {
  return (
    <figure className={classes.figure}>
      <div role="img" aria-label={label}>
        <Suspense fallback={<Skeleton height={height} />}>{chart}</Suspense>
      </div>
      {below}
      <details className={classes.details}>
        <summary>Figures as a table</summary>
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls needs the keyboard */}
        <div className={classes.scroll} role="region" aria-label={label} tabIndex={0}>
          <table>
            <caption className="visually-hidden">{label}</caption>
            <thead>
              <tr>
                {header.map((text) => (
                  <th key={text} scope="col">
                    {text}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row[0]}>
                  {row.map((text, n) => (
                    <td key={header[n]}>{text}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}
