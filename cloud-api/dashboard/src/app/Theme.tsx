import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { styleNonce } from "./features";
import { cssVariablesResolver, theme } from "./theme";

const manager = localStorageColorSchemeManager({ key: "color-scheme" });

export function Theme({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      colorSchemeManager={manager}
      defaultColorScheme="auto"
      getStyleNonce={styleNonce}
      deduplicateCssVariables={false}
    >
      {children}
      <Notifications position="bottom-right" limit={3} role="status" aria-live="polite" />
    </MantineProvider>
  );
}
