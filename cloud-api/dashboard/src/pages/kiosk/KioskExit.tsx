import { Anchor } from "@mantine/core";
import { Link } from "react-router";
import { paths } from "@/app/paths";
import { useUser } from "@/session/store";
import { useSignOut } from "@/session/useSignOut";

export function KioskExit() {
  const { role } = useUser();
  const signOut = useSignOut();
  if (role === "kiosk") {
    return (
      <Anchor component="button" type="button" fz="sm" mih={44} onClick={() => signOut.mutate()}>
        Sign this desk out
      </Anchor>
    );
  }
  return (
    <Anchor component={Link} to={paths.home} fz="sm" mih={44} pt={12}>
      Leave the full screen
    </Anchor>
  );
}
