import { Anchor, Text } from "@mantine/core";
import { Link, Navigate, useSearchParams } from "react-router";
import { EntryFrame } from "@/app/EntryFrame";
import { paths, safeNext } from "@/app/paths";
import { useSession } from "@/session/store";
import { SignUpForm } from "./SignUpForm";

export default function SignUpPage() {
  const [params] = useSearchParams();
  const next = safeNext(params.get("next"));
  const session = useSession();
  if (session.status === "active") return <Navigate to={next} replace />;
  return (
    <EntryFrame title="Create your account" lead="It takes a minute. Nothing is counted before you agree." width={640}>
      <SignUpForm />
      <Text fz="sm" mt="md">
        Have an account?{" "}
        <Anchor component={Link} to={`${paths.signIn}?next=${encodeURIComponent(next)}`} underline="always">
          Sign in
        </Anchor>
      </Text>
    </EntryFrame>
  );
}
