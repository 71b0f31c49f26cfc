import { Button } from "@mantine/core";
import type { Team } from "@/api/types";
import { Section } from "@/shared/Section";
import { useRemove } from "./queries";
import { Weeks } from "./Weeks";

const managerOf = ({ manager }: Team) => (manager ? (manager.name ?? manager.email) : "nobody any more");

export function MyTeam({ team }: { team: Team }) {
  const leave = useRemove(team.id);
  return (
    <Section
      title={team.name}
      note={`Managed by ${managerOf(team)}`}
      aside={
        <Button variant="default" loading={leave.isPending} onClick={() => leave.mutate("me")}>
          Leave the team
        </Button>
      }
    >
      <Weeks team={team.id} zone={team.timezone} />
    </Section>
  );
}
