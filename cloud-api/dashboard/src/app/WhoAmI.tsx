import { ActionIcon, Text } from "@mantine/core";
import { IconLogout } from "@tabler/icons-react";
import { ROLE_NAMES } from "@/session/roles";
import { useUser } from "@/session/store";
import { useSignOut } from "@/session/useSignOut";

export function WhoAmI() {
  const user = useUser();
  const signOut = useSignOut();
  return (
    <>
      <div style={{ flex: 1, minWidth: 0, paddingLeft: 12 }}>
        <Text fz="sm" fw={600} truncate>
          {user.name ?? user.email}
        </Text>
        <Text fz="xs" c="dimmed">
          {ROLE_NAMES[user.role]}
        </Text>
      </div>
      <ActionIcon c="var(--muted)" aria-label="Sign out" loading={signOut.isPending} onClick={() => signOut.mutate()}>
        <IconLogout size={20} stroke={1.6} />
      </ActionIcon>
    </>
  );
}
