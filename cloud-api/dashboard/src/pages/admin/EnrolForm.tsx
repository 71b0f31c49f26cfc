import { Alert, Button, Checkbox, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { ApiError } from "@/api/error";
import { ConsentText } from "@/shared/ConsentText";
import { useConsentTexts } from "@/shared/consents";
import { FormError } from "@/shared/FormError";
import { Section } from "@/shared/Section";
import { PersonFields, personRules } from "./PersonFields";
import { Pictures } from "./Pictures";
import { useEnrol } from "./queries";

/** Takes a face in: the person reads the text and agrees, and who took the consent is recorded. */
export default function EnrolForm() {
  const texts = useConsentTexts();
  const enrol = useEnrol();
  const [pictures, setPictures] = useState<Blob[]>([]);
  const form = useForm({
    initialValues: { name: "", id: "", email: "", agreed: false, force: false },
    validate: { ...personRules, agreed: (value) => (value ? null : "No face is taken in without the person’s consent.") },
  });
  const refused = enrol.error instanceof ApiError ? enrol.error : null;
  const done = () => {
    form.reset();
    setPictures([]);
  };
  const submit = form.onSubmit(({ name, id, email, force }) =>
    enrol.mutate(
      { name, id, email, force, pictures, consentVersion: texts.data!.biometric.version },
      { onSuccess: done, onError: (error) => error instanceof ApiError && form.setErrors(error.fields) },
    ),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="xl">
        <Section title="1. The person">
          <Stack maw={520}>
            <PersonFields inputProps={(name) => form.getInputProps(name)} />
          </Stack>
        </Section>
        <Section title="2. Up to five pictures" note="From the front, in even light, once with and once without glasses if they wear some.">
          <Pictures pictures={pictures} onChange={setPictures} />
        </Section>
        <Section title="3. Consent" note="Let the person read this here. PIN and QR code are open to whoever says no.">
          <Stack maw={640}>
            <ConsentText query={texts} kind="biometric" />
            <Checkbox
              size="md"
              label="The person is here, has read this and agrees."
              {...form.getInputProps("agreed", { type: "checkbox" })}
            />
            <Text fz="xs" c="dimmed">
              That you took the consent is recorded with it.
            </Text>
            {(refused?.code === "id_taken" || form.values.force) && (
              <Checkbox size="md" label="Replace the person who has this id" {...form.getInputProps("force", { type: "checkbox" })} />
            )}
            <FormError error={enrol.error} />
            {pictures.length === 0 && <Alert color="gray">Take or choose at least one picture first.</Alert>}
            <Button type="submit" style={{ alignSelf: "start" }} disabled={!texts.data || pictures.length === 0} loading={enrol.isPending}>
              Enrol
            </Button>
          </Stack>
        </Section>
      </Stack>
    </form>
  );
}
