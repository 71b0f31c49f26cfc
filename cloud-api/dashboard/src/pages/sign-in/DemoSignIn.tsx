import { Button, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import type { Role } from "@/api/types";
import { ROLE_NAMES } from "@/session/roles";
import { signIn } from "@/session/actions";
import { FormError } from "@/shared/FormError";

const ROLES: Role[] = ["member", "manager", "admin"];

/** The made-up accounts of a demonstration are open to everybody. */
export function DemoSignIn() {
  const enter = useMutation({ mutationFn: (role: Role) => signIn(`${role}@demo.example`, "a demonstration") });
  return (
    <Stack gap="sm">
      <Text fz="sm">Look around as one of three made-up people. Nothing that you do is stored.</Text>
      {ROLES.map((role) => (
        <Button
          key={role}
          variant={role === "member" ? "filled" : "default"}
          fullWidth
          loading={enter.isPending && enter.variables === role}
          onClick={() => enter.mutate(role)}
        >
          Enter as {ROLE_NAMES[role].toLowerCase()}
        </Button>
      ))}
      <FormError error={enter.error} />
    </Stack>
  );
}
