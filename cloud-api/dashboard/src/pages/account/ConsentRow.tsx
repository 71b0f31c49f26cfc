import { Box, Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { Consent, ConsentKind } from "@/api/types";
import { useUser } from "@/session/store";
import { Dialog } from "@/shared/Dialog";
import { ConsentText } from "@/shared/ConsentText";
import { useConsentTexts } from "@/shared/consents";
import { dateTime } from "@/shared/zone";
import { usePutConsent } from "./usePutConsent";

const WORDS: Record<ConsentKind, { title: string; withdrawn: string; elsewhere?: string }> = {
  tracking: {
    title: "Counting blinks",
    withdrawn: "Your devices close the camera and send nothing more. What was stored stays yours to read, export or erase.",
  },
  team: {
    title: "Counting in a team’s weekly figure",
    withdrawn: "You leave the team and count in no further week.",
    elsewhere: "You agree when you accept a team’s invitation, on the page Team.",
  },
  biometric: {
    title: "Recognition of your face at the desk",
    withdrawn: "Your photograph and the numbers that describe your face are removed. PIN, QR code and your manager stay open to you.",
    elsewhere: "It is given at your enrolment, with your manager.",
  },
};

export function ConsentRow({ kind, said }: { kind: ConsentKind; said: Consent | undefined }) {
  const { timezone } = useUser();
  const texts = useConsentTexts();
  const [opened, { open, close }] = useDisclosure(false);
  const put = usePutConsent(kind, close);
  const { title, withdrawn, elsewhere } = WORDS[kind];
  const granted = said?.granted ?? false;
  const state = said ? `${granted ? "Agreed" : "Withdrawn"} on ${dateTime(said.at, timezone)}` : "Never given";
  return (
    <Group justify="space-between" py="sm" style={{ borderBottom: "1px solid var(--line)" }}>
      <Box style={{ flex: "1 1 220px" }}>
        <Text fw={600}>{title}</Text>
        <Text fz="sm" c="dimmed">
          {state}
          {!granted && elsewhere ? `. ${elsewhere}` : ""}
        </Text>
      </Box>
      {(granted || !elsewhere) && (
        <Button variant="default" onClick={open}>
          {granted ? "Read or withdraw" : "Read and agree"}
        </Button>
      )}
      <Dialog opened={opened} onClose={close} title={title} size="lg">
        <Stack>
          <ConsentText query={texts} kind={kind} />
          {granted && <Text fz="sm">If you withdraw: {withdrawn}</Text>}
          <Group>
            {granted ? (
              <Button color="red" loading={put.isPending} onClick={() => put.mutate({ granted: false })}>
                Withdraw
              </Button>
            ) : (
              <Button
                loading={put.isPending}
                disabled={!texts.data}
                onClick={() => texts.data && put.mutate({ granted: true, version: texts.data[kind].version })}
              >
                I agree
              </Button>
            )}
            <Button variant="default" onClick={close}>
              Close
            </Button>
          </Group>
        </Stack>
      </Dialog>
    </Group>
  );
}
