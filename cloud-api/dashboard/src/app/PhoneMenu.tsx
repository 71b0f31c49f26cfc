import { Button, Drawer } from "@mantine/core";
import { IconLogout } from "@tabler/icons-react";
import { useUser } from "@/session/store";
import { useSignOut } from "@/session/useSignOut";
import { NavLinks } from "./NavLinks";

interface Props {
  opened: boolean;
  onClose: () => void;
}

export default function PhoneMenu({ opened, onClose }: Props) {
  const user = useUser();
  const signOut = useSignOut();
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="min(320px, 88vw)"
      title={user.name ?? user.email}
      closeButtonProps={{ "aria-label": "Close the menu" }}
    >
      <nav aria-label="All pages">
        <NavLinks />
      </nav>
      <Button
        mt="lg"
        fullWidth
        variant="default"
        leftSection={<IconLogout size={18} />}
        onClick={() => signOut.mutate()}
        loading={signOut.isPending}
      >
        Sign out
      </Button>
    </Drawer>
  );
}
