import { Anchor, Stack, Text } from "@mantine/core";
import { features } from "@/app/features";
import type { User } from "@/api/types";
import { Dialog } from "@/shared/Dialog";
import { forget } from "./actions";
import { GoogleButton } from "./GoogleButton";
import { SignInForm } from "./SignInForm";

interface Props {
  opened: boolean;
  user: User;
}

/** Signs in again over the page, so that nothing typed is lost; what waited for it goes on. */
export default function SessionDialog({ opened, user }: Props) {
  return (
    <Dialog
      opened={opened}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title="Sign in again to go on"
    >
      <Stack>
        <Text fz="sm">Your session has ended. The page behind this dialog keeps everything that you typed.</Text>
        <SignInForm email={user.email} fixedEmail submitLabel="Sign in and go on" />
        {features.google && <GoogleButton next={window.location.pathname + window.location.search} />}
        <Anchor component="button" type="button" fz="sm" mih={44} onClick={forget}>
          Leave this page and sign in as somebody else
        </Anchor>
      </Stack>
    </Dialog>
  );
}
