import { Group } from "@mantine/core";
import { Brand } from "./Brand";
import { NavLinks } from "./NavLinks";
import { SchemeSwitch } from "./SchemeSwitch";
import classes from "./Shell.module.css";
import { WhoAmI } from "./WhoAmI";

/** The navigation at the side of a wide screen. */
export function Rail() {
  return (
    <header className={classes.rail}>
      <Group justify="space-between" wrap="nowrap" mb="lg" pl={8}>
        <Brand />
      </Group>
      <nav aria-label="Main" style={{ flex: 1 }}>
        <NavLinks />
      </nav>
      <Group justify="space-between" wrap="nowrap" gap={4} mt="lg">
        <WhoAmI />
        <SchemeSwitch />
      </Group>
    </header>
  );
}
