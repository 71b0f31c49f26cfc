import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/error";
import { Section } from "@/shared/Section";
import { passwordFault } from "@/shared/password";
import { toast } from "@/shared/toast";
import { FormError } from "@/shared/FormError";

export function PasswordCard() {
  const form = useForm({
    initialValues: { current_password: "", password: "" },
    validate: {
      current_password: (value) => (value ? null : "Enter the password that you have now."),
      password: passwordFault,
    },
  });
  const save = useMutation({
    mutationFn: (body: typeof form.values) =>
      toast.follow("Changing …", unwrap(api.PATCH("/api/user/me", { body })), () => "Your new password is set."),
    onSuccess: () => form.reset(),
    onError: (error) => {
      if (error instanceof ApiError) form.setErrors(error.fields);
    },
  });
  return (
    <Section title="Password">
      <form onSubmit={form.onSubmit((values) => save.mutate(values))} noValidate>
        <Stack maw={520}>
          <PasswordInput label="Current password" autoComplete="current-password" {...form.getInputProps("current_password")} />
          <PasswordInput
            label="New password"
            description="12 to 128 characters"
            autoComplete="new-password"
            {...form.getInputProps("password")}
          />
          <FormError error={save.error} />
          <Group>
            <Button type="submit" variant="default" loading={save.isPending}>
              Change password
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
