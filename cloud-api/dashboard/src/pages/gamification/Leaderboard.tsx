import { Switch } from "@mantine/core";
import { IconTrophy } from "@tabler/icons-react";
import type { Analytics } from "@/api/types";
import { DataTable } from "@/shared/DataTable";
import { EmptyState } from "@/shared/EmptyState";
import { Section } from "@/shared/Section";
import { count, pct } from "@/shared/format";
import { useLeaderboardChoice } from "./useLeaderboardChoice";

interface Props {
  subject: NonNullable<Analytics["subject"]>;
  places: Analytics["leaderboard"];
}

export function Leaderboard({ subject, places }: Props) {
  const choose = useLeaderboardChoice();
  const shown = choose.isPending ? choose.variables : subject.leaderboard;
  const ranked = places.map((place, n) => ({ ...place, rank: n + 1 }));
  return (
    <Section title="Leaderboard" note="Only people who chose to be on it">
      <Switch
        mb="md"
        size="md"
        label="Let others see me here"
        description="Your name, attendance and streak. Off unless you turn it on."
        checked={shown}
        onChange={(event) => choose.mutate(event.currentTarget.checked)}
      />
      {ranked.length === 0 ? (
        <EmptyState title="Nobody is on it yet" icon={IconTrophy} />
      ) : (
        <DataTable
          caption="Leaderboard"
          rows={ranked}
          rowKey={({ id }) => id}
          columns={[
            { key: "rank", header: "Place", cell: ({ rank }) => rank },
            { key: "name", header: "Name", cell: ({ id, name }) => (id === subject.id ? `${name} (you)` : name) },
            { key: "pct", header: "Attended", numeric: true, cell: (place) => pct(place.pct) },
            { key: "streak", header: "Streak", numeric: true, cell: ({ streak }) => `${count(streak)} d` },
          ]}
        />
      )}
    </Section>
  );
}
