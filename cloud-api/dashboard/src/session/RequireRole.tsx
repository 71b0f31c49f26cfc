import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Role } from "@/api/types";
import { Page } from "@/shared/Page";
import { atLeast, ROLE_NAMES } from "./roles";
import { useUser } from "./store";

interface Props {
  least: Role;
  title: string;
  children: ReactNode;
}

export function RequireRole({ least, title, children }: Props) {
  const { role } = useUser();
  if (atLeast(role, least)) return children;
  return (
    <Page title={title}>
      <Text>
        This page is for the role {ROLE_NAMES[least].toLowerCase()} and above; yours is {ROLE_NAMES[role].toLowerCase()}.
        An admin of your organisation can change that.
      </Text>
    </Page>
  );
}
