import { Button, Checkbox, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { noteErasure } from "@/session/fetch";
import { Dialog } from "@/shared/Dialog";
import { Section } from "@/shared/Section";
import { Receipt } from "./Receipt";
import { FormError } from "@/shared/FormError";

/** Erasure of the account (GDPR, article 17), with a receipt. */
export function EraseCard() {
  const [opened, { open, close }] = useDisclosure(false);
  const [sure, setSure] = useState(false);
  const [password, setPassword] = useState("");
  const erase = useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/user/me", { body: { password: password || null } })),
    onSuccess: () => noteErasure(true),
  });
  return (
    <Section title="Erase the account" note="Everything that is held about you is removed, here and in the archive. It cannot be undone.">
      <Button style={{ alignSelf: "start" }} color="red" variant="outline" onClick={open}>
        Erase my account
      </Button>
      <Dialog opened={opened && !erase.data} onClose={close} title="Erase everything?">
        <Stack>
          <Text fz="sm">
            Your minutes, consents, devices, attendance records and this account are removed. Take your export first if you
            want to keep anything. What your computers hold is erased there, with <code>blinkctl delete</code>.
          </Text>
          <PasswordInput
            label="Your password"
            description="Leave it empty if you sign in with Google and did so less than five minutes ago."
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Checkbox
            size="md"
            checked={sure}
            onChange={(event) => setSure(event.currentTarget.checked)}
            label="I understand that this cannot be undone."
          />
          <FormError error={erase.error} />
          <Group>
            <Button color="red" disabled={!sure} loading={erase.isPending} onClick={() => erase.mutate()}>
              Erase everything
            </Button>
            <Button variant="default" onClick={close}>
              Keep my account
            </Button>
          </Group>
        </Stack>
      </Dialog>
      {erase.data && <Receipt receipt={erase.data} />}
    </Section>
  );
}
