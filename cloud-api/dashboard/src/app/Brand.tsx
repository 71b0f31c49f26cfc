import { Text } from "@mantine/core";
import { Link } from "react-router";
import classes from "./Brand.module.css";
import { paths } from "./paths";

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className={classes.mark}>
      <path d="M2 16C7 8 12 5 16 5s9 3 14 11c-5 8-10 11-14 11S7 24 2 16Z" fill="var(--accent)" />
      <circle cx="16" cy="16" r="6.5" fill="var(--surface)" />
      <circle cx="16" cy="16" r="3" fill="var(--ink)" />
    </svg>
  );
}

export function Brand() {
  return (
    <Link to={paths.home} className={classes.brand}>
      <Mark />
      <Text component="span" ff="heading" fw={600} fz="1rem">
        Wellness at Work
      </Text>
    </Link>
  );
}
