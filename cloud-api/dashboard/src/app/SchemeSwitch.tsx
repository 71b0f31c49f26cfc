import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";

export function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: false });
  const other = scheme === "dark" ? "light" : "dark";
  const Icon = other === "light" ? IconSun : IconMoon;
  return (
    <ActionIcon c="var(--muted)" aria-label={`Use the ${other} theme`} onClick={() => setColorScheme(other)}>
      <Icon size={20} stroke={1.6} />
    </ActionIcon>
  );
}
