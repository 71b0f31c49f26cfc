import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { Team } from "@/api/types";
import { atLeast } from "@/session/roles";
import { useUser } from "@/session/store";
import { EmptyState } from "@/shared/EmptyState";
import { Page } from "@/shared/Page";
import { QueryView } from "@/shared/QueryView";
import { CreateTeam } from "./CreateTeam";
import { Invitation } from "./Invitation";
import { ManagedTeam } from "./ManagedTeam";
import { MyTeam } from "./MyTeam";
import { teamsOptions } from "./queries";

export default function TeamPage() {
  const user = useUser();
  const manages = atLeast(user.role, "manager");
  const query = useQuery(teamsOptions);
  const card = (team: Team) => {
    if (team.manager?.id === user.id) return <ManagedTeam key={team.id} team={team} />;
    return team.accepted_at ? <MyTeam key={team.id} team={team} /> : <Invitation key={team.id} team={team} />;
  };
  return (
    <Page
      title="Team"
      lead="One figure for each closed week, over at least five people. Nobody sees anybody else’s minutes."
      actions={manages && <CreateTeam />}
    >
      <QueryView
        query={query}
        height={320}
        empty={{
          when: ({ items }) => items.length === 0,
          show: (
            <EmptyState title="You are in no team" icon={IconUsers}>
              {manages ? "Make one, and invite its people." : "An invitation by a manager appears here. You join only if you accept it."}
            </EmptyState>
          ),
        }}
      >
        {({ items }) => items.map(card)}
      </QueryView>
    </Page>
  );
}
