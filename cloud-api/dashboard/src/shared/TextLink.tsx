import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "react-router";

/** A link that stands alone, tall enough for a finger. */
export function TextLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Anchor component={Link} to={to} fz="sm" fw={500} mih={44} my={-10} display="inline-flex" style={{ alignItems: "center" }}>
      {children}
    </Anchor>
  );
}
