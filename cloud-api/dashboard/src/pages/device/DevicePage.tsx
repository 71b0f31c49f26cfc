import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useSearchParams } from "react-router";
import { ApiError, messageOf } from "@/api/error";
import { features } from "@/app/features";
import { SignInForm } from "@/session/SignInForm";
import { useUser } from "@/session/store";
import { Page } from "@/shared/Page";
import { Section } from "@/shared/Section";
import { Decision } from "./Decision";
import { useDeviceCode } from "./useDeviceCode";

export default function DevicePage() {
  const [params] = useSearchParams();
  const user = useUser();
  const device = useDeviceCode();
  const form = useForm({
    initialValues: { code: params.get("code") ?? "" },
    validate: { code: (value) => (value.replace(/[^a-z]/gi, "").length === 8 ? null : "The code has eight letters, such as BCDF-GHJK.") },
    onValuesChange: device.reset,
  });
  const fresh = device.error instanceof ApiError && device.error.code === "fresh_sign_in_required";
  if (features.demo) {
    return (
      <Page title="Confirm a device">
        <Text fz="sm">This is a demonstration: it signs in no devices.</Text>
      </Page>
    );
  }
  return (
    <Page title="Confirm a device" lead="Your tray or terminal shows a code. Enter it to sign that device in to your account.">
      <Section title="The code on your device">
        <Stack maw={420}>
          <form onSubmit={form.onSubmit(({ code }) => device.decide(code))} noValidate>
            <Stack>
              <TextInput
                label="Code"
                placeholder="BCDF-GHJK"
                autoCapitalize="characters"
                autoComplete="one-time-code"
                spellCheck={false}
                {...form.getInputProps("code")}
              />
              {!device.found && (
                <Button type="submit" loading={device.busy}>
                  Look for the device
                </Button>
              )}
            </Stack>
          </form>
          {fresh && (
            <Stack>
              <Alert color="yellow" role="status">
                A device stays signed in for a long time. Enter your password once more to confirm that it is you.
              </Alert>
              <SignInForm email={user.email} fixedEmail submitLabel="Confirm" onDone={() => device.decide(form.values.code, true)} />
            </Stack>
          )}
          {device.error && !fresh && (
            <Alert color="red" role="alert">
              {messageOf(device.error)}
            </Alert>
          )}
          {device.found && !fresh && (
            <Decision found={device.found} busy={device.busy} decide={(yes) => device.decide(form.values.code, yes)} />
          )}
        </Stack>
      </Section>
    </Page>
  );
}
