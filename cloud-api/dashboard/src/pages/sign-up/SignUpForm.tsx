import { Button, Checkbox, PasswordInput, Stack, TextInput, Title } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { ApiError } from "@/api/error";
import { signUp } from "@/session/actions";
import { ConsentText } from "@/shared/ConsentText";
import { useConsentTexts } from "@/shared/consents";
import { passwordFault } from "@/shared/password";
import { FormError } from "@/shared/FormError";

export function SignUpForm() {
  const texts = useConsentTexts();
  const form = useForm({
    initialValues: { name: "", email: "", password: "", agreed: false },
    validate: {
      email: (value) => (/^\S+@\S+$/.test(value.trim()) ? null : "Enter an address such as ada@example.org."),
      password: passwordFault,
      agreed: (value) => (value ? null : "Without your agreement nothing may be counted, so there can be no account."),
    },
  });
  const submit = useMutation({
    mutationFn: ({ name, email, password }: typeof form.values) =>
      signUp({ name, email: email.trim(), password, consentVersion: texts.data!.tracking.version }),
    onError: (error) => {
      if (error instanceof ApiError) form.setErrors(error.fields);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => submit.mutate(values))} noValidate>
      <Stack>
        <TextInput label="Name" description="As colleagues know you. Optional." autoComplete="name" {...form.getInputProps("name")} />
        <TextInput label="E-mail address" type="email" autoComplete="email" required {...form.getInputProps("email")} />
        <PasswordInput
          label="Password"
          description="12 to 128 characters. A sentence is easy to remember."
          autoComplete="new-password"
          required
          {...form.getInputProps("password")}
        />
        <Title order={2}>What you agree to</Title>
        <ConsentText query={texts} kind="tracking" />
        <Checkbox
          size="md"
          label="I have read this and agree that my blinks are counted this way."
          {...form.getInputProps("agreed", { type: "checkbox" })}
        />
        <FormError error={submit.error} />
        <Button type="submit" loading={submit.isPending} disabled={!texts.data}>
          Create account
        </Button>
      </Stack>
    </form>
  );
}
