import { Button, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import { api, unwrap } from "@/api/client";
import { EntryFrame } from "@/app/EntryFrame";
import { paths } from "@/app/paths";
import { passwordFault } from "@/shared/password";
import { toast } from "@/shared/toast";
import { takeToken } from "./token";
import { FormError } from "@/shared/FormError";

/** The target of a one-time link. Its token is behind the #, so it reaches no server's log. */
export default function ResetPage() {
  const [token] = useState(takeToken);
  const navigate = useNavigate();
  const form = useForm({ initialValues: { password: "" }, validate: { password: passwordFault } });
  const submit = useMutation({
    mutationFn: (password: string) => unwrap(api.POST("/api/auth/reset", { body: { token, password } })),
    onSuccess: async () => {
      toast.done("Your new password is set. Sign in with it.");
      await navigate(paths.signIn, { replace: true });
    },
  });
  if (!token) {
    return (
      <EntryFrame title="Set a new password">
        This page needs the one-time link from your operator. Open that link again, whole; if it was used already, ask
        for a new one.
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Set a new password" lead="All your other sessions end with it.">
      <form onSubmit={form.onSubmit(({ password }) => submit.mutate(password))} noValidate>
        <Stack>
          <PasswordInput
            label="New password"
            description="12 to 128 characters"
            autoComplete="new-password"
            {...form.getInputProps("password")}
          />
          <FormError error={submit.error} />
          <Button type="submit" loading={submit.isPending}>
            Set password
          </Button>
        </Stack>
      </form>
    </EntryFrame>
  );
}
