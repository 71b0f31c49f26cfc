import { Group } from "@mantine/core";
import { Brand } from "./Brand";
import { NavLinks } from "./NavLinks";
import { SchemeSwitch } from "./SchemeSwitch";
import classes from "./Shell.module.css";
import { WhoAmI } from "./WhoAmI";

/** The navigation at the side of a wide screen. */
export function Rail() {
  return (
    <nav aria-label="Main" className={classes.rail}>
      <Group pl={8} mb="lg">
        <Brand />
      </Group>
      <div style={{ flex: 1 }}>
        <NavLinks />
      </div>
      <Group justify="space-between" wrap="nowrap" gap={4} mt="lg">
        <WhoAmI />
        <SchemeSwitch />
      </Group>
    </nav>
  );
}
