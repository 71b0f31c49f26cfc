import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Figure.module.css";

interface Props {
  label: string;
  value: string;
  unit?: string;
  /** What the figure is over: without it a rate says nothing. */
  over?: ReactNode;
  source?: ReactNode;
  tone?: "late" | "absent";
}

/** One figure of a grid: its name, value and unit, and under it what it is over. */
export function Figure({ label, value, unit, over, source, tone }: Props) {
  return (
    <div className={classes.figure}>
      <Text component="dt" fz="sm" c="dimmed" pr={source ? 36 : 0}>
        {label}
      </Text>
      <dd className={classes.value} data-tone={tone}>
        {value}
        {unit && <span className={classes.unit}> {unit}</span>}
      </dd>
      {over && (
        <Text component="dd" m={0} fz="sm" c="dimmed">
          {over}
        </Text>
      )}
      {source && <dd className={classes.source}>{source}</dd>}
    </div>
  );
}
