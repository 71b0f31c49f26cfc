import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { createMemoryRouter, RouterProvider } from "react-router";
import type { User } from "@/api/types";
import { cssVariablesResolver, theme } from "@/app/theme";
import { setSession } from "@/session/store";
import { keepAccess } from "@/session/tokens";
import { user } from "./server";

interface Options {
  path?: string;
  who?: User | null;
}

/** Shows a page as somebody who is signed in. Nothing is tried twice, so that errors come at once. */
export function show(page: ReactNode, { path = "/", who = user }: Options = {}) {
  if (who) {
    keepAccess("access-1");
    setSession({ status: "active", user: who });
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = createMemoryRouter([{ path: "*", element: page }], { initialEntries: [path] });
  const view = render(
    <QueryClientProvider client={client}>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} env="test">
        <RouterProvider router={router} />
        <Notifications />
      </MantineProvider>
    </QueryClientProvider>,
  );
  return { ...view, client, router };
}
