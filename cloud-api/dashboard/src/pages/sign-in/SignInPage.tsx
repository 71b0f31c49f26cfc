import { Anchor, Divider, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { EntryFrame } from "@/app/EntryFrame";
import { features } from "@/app/features";
import { paths, safeNext } from "@/app/paths";
import { GoogleButton } from "@/session/GoogleButton";
import { SignInForm } from "@/session/SignInForm";
import { DemoSignIn } from "./DemoSignIn";
import { useSession } from "@/session/store";

export default function SignInPage() {
  const [params] = useSearchParams();
  const session = useSession();
  const next = safeNext(params.get("next"));
  useEffect(() => {
    document.querySelector<HTMLInputElement>('input[type="email"]')?.focus();
  }, []);
  if (session.status === "active" || session.status === "consent") return <Navigate to={next} replace />;
  return (
    <EntryFrame
      title="Sign in"
      lead={next.startsWith(paths.device) ? "Sign in to confirm the code of your tray." : "Your own blink figures, and the attendance desk."}
    >
      {features.demo ? <DemoSignIn /> : <OwnSignIn next={next} />}
    </EntryFrame>
  );
}

function OwnSignIn({ next }: { next: string }) {
  return (
    <Stack>
      <SignInForm />
      {features.google && (
        <>
          <Divider label="or" />
          <GoogleButton next={next} />
        </>
      )}
      <Text fz="sm">
        No account yet?{" "}
        <Anchor component={Link} to={`${paths.signUp}?next=${encodeURIComponent(next)}`} underline="always">
          Create one
        </Anchor>
      </Text>
      <Text fz="sm" c="dimmed">
        Password forgotten? Ask the operator of this server for a link to set a new one. To confirm a tray’s code,{" "}
        <Anchor component={Link} to={paths.device} underline="always">
          enter it here
        </Anchor>
        .
      </Text>
    </Stack>
  );
}
