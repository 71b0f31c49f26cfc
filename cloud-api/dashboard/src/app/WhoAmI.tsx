import { Menu, Text, UnstyledButton } from "@mantine/core";
import { IconLogout, IconSettings } from "@tabler/icons-react";
import { Link } from "react-router";
import { ROLE_NAMES } from "@/session/roles";
import { useUser } from "@/session/store";
import { useSignOut } from "@/session/useSignOut";
import { paths } from "./paths";

export function WhoAmI() {
  const user = useUser();
  const signOut = useSignOut();
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <UnstyledButton mih={44} miw={0} px={12}>
          <Text fz="sm" fw={600} truncate>
            {user.name ?? user.email}
          </Text>
          <Text fz="xs" c="dimmed" truncate>
            {ROLE_NAMES[user.role]}
          </Text>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to={paths.account} leftSection={<IconSettings size={18} stroke={1.6} />}>
          Account
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={18} stroke={1.6} />} onClick={() => signOut.mutate()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
