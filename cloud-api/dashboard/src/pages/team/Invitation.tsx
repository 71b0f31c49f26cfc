import { Button, Group, Stack } from "@mantine/core";
import type { Team } from "@/api/types";
import { ConsentText } from "@/shared/ConsentText";
import { useConsentTexts } from "@/shared/consents";
import { Section } from "@/shared/Section";
import { useAccept, useRemove } from "./queries";

/** Accepting is the consent to the text. */
export function Invitation({ team }: { team: Team }) {
  const texts = useConsentTexts();
  const accept = useAccept(team.id);
  const decline = useRemove(team.id);
  const from = team.manager ? (team.manager.name ?? team.manager.email) : "A manager";
  return (
    <Section title={`Invitation to ${team.name}`} note={`${from} invites you. You join only if you agree to this:`}>
      <Stack>
        <ConsentText query={texts} kind="team" />
        <Group>
          <Button disabled={!texts.data} loading={accept.isPending} onClick={() => texts.data && accept.mutate(texts.data.team.version)}>
            I agree and join
          </Button>
          <Button variant="default" loading={decline.isPending} onClick={() => decline.mutate("me")}>
            Decline
          </Button>
        </Group>
      </Stack>
    </Section>
  );
}
