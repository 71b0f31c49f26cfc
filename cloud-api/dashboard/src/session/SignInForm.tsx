import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { signIn } from "./actions";
import { FormError } from "@/shared/FormError";

interface Props {
  email?: string;
  fixedEmail?: boolean;
  submitLabel?: string;
  onDone?: () => void;
}

export function SignInForm({ email = "", fixedEmail = false, submitLabel = "Sign in", onDone }: Props) {
  const form = useForm({
    initialValues: { email, password: "" },
    validate: {
      email: (value) => (value.includes("@") ? null : "Enter the address of your account, such as ada@example.org."),
      password: (value) => (value ? null : "Enter your password."),
    },
  });
  const submit = useMutation({
    mutationFn: (values: typeof form.values) => signIn(values.email.trim(), values.password),
    onSuccess: onDone,
  });
  return (
    <form onSubmit={form.onSubmit((values) => submit.mutate(values))} noValidate>
      <Stack>
        <TextInput
          label="E-mail address"
          type="email"
          autoComplete="username"
          readOnly={fixedEmail}
          {...form.getInputProps("email")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          data-autofocus
          {...form.getInputProps("password")}
        />
        <FormError error={submit.error} />
        <Button type="submit" loading={submit.isPending} fullWidth>
          {submitLabel}
        </Button>
      </Stack>
    </form>
  );
}
