import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Team } from "@/api/types";
import { useUser } from "@/session/store";
import { Section } from "@/shared/Section";
import { plural } from "@/shared/format";
import { Members } from "./Members";
import { useInvite } from "./queries";
import { Weeks } from "./Weeks";
import { FormError } from "@/shared/FormError";

export function ManagedTeam({ team }: { team: Team }) {
  const user = useUser();
  const { manager } = team;
  const by = manager?.id === user.id ? "you" : (manager?.name ?? manager?.email ?? "nobody any more");
  const members = team.members ?? [];
  const accepted = members.filter(({ accepted_at }) => accepted_at).length;
  return (
    <Section title={team.name} note={`Managed by ${by}. ${plural(accepted, "member")}, ${plural(members.length - accepted, "open invitation")}`}>
      <Stack gap="lg">
        <Weeks team={team.id} zone={team.timezone} />
        <Members team={team.id} members={members} />
        <Invite team={team.id} />
      </Stack>
    </Section>
  );
}

function Invite({ team }: { team: string }) {
  const [who, setWho] = useState("");
  const invite = useInvite(team);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        invite.mutate(who.trim(), { onSuccess: () => setWho("") });
      }}
    >
      <Group align="end">
        <TextInput
          label="Invite somebody"
          description="The address of their account. They count only after they have accepted."
          type="email"
          w={340}
          maw="100%"
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!who.includes("@")} loading={invite.isPending}>
          Invite
        </Button>
      </Group>
      <FormError error={invite.error} />
    </form>
  );
}
