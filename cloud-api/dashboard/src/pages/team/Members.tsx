import { Button, Text } from "@mantine/core";
import type { Team } from "@/api/types";
import { useUser } from "@/session/store";
import { DataTable } from "@/shared/DataTable";
import { dateTime } from "@/shared/zone";
import { useRemove } from "./queries";

type Member = NonNullable<Team["members"]>[number];

const keyOf = ({ user_id, email }: Member) => user_id ?? email ?? "";

export function Members({ team, members }: { team: string; members: Member[] }) {
  const { timezone } = useUser();
  const remove = useRemove(team);
  if (members.length === 0) return <Text fz="sm">Nobody is invited yet.</Text>;
  return (
    <DataTable
      caption="Members and invitations"
      rows={members}
      rowKey={keyOf}
      columns={[
        { key: "who", header: "Who", cell: ({ name, email, user_id }) => name ?? email ?? user_id },
        { key: "invited", header: "Invited", cell: ({ invited_at }) => dateTime(invited_at, timezone) },
        { key: "accepted", header: "Accepted", cell: ({ accepted_at }) => (accepted_at ? dateTime(accepted_at, timezone) : "Not yet") },
        {
          key: "remove",
          header: "Action",
          numeric: true,
          cell: (member) => (
            <Button
              variant="default"
              aria-label={`Take ${member.name ?? member.email ?? "this person"} out`}
              loading={remove.isPending && remove.variables === keyOf(member)}
              onClick={() => remove.mutate(keyOf(member))}
            >
              {member.accepted_at ? "Take out" : "Take back"}
            </Button>
          ),
        },
      ]}
    />
  );
}
