import { IconUsers } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Fragment } from "react";
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
  const invited = ({ members, accepted_at }: Team) =>
    members ? members.some((each) => each.email === user.email && !each.accepted_at) : !accepted_at;
  const card = (team: Team) => (
    <Fragment key={team.id}>
      {invited(team) && <Invitation team={team} />}
      {/* Its manager and admins are told its members. */}
      {team.members ? <ManagedTeam team={team} /> : team.accepted_at && <MyTeam team={team} />}
    </Fragment>
  );
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
