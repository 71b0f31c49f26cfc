import { SimpleGrid, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { analyticsOptions } from "@/api/attendance";
import { EmptyState } from "@/shared/EmptyState";
import { IconTrophy } from "@tabler/icons-react";
import { Page } from "@/shared/Page";
import { QueryView } from "@/shared/QueryView";
import { Arrivals } from "./Arrivals";
import { Badges } from "./Badges";
import { Leaderboard } from "./Leaderboard";
import { Streaks } from "./Streaks";

export default function GamificationPage() {
  const mine = useQuery(analyticsOptions({ user: "me" }));
  return (
    <Page title="Badges" lead="Yours, from your own attendance. Nobody else sees them unless you choose so.">
      <QueryView
        query={mine}
        height={480}
        empty={{
          when: ({ subject }) => subject === null,
          show: (
            <EmptyState title="The desk does not know you yet" icon={IconTrophy}>
              Ask your manager to add you. Badges begin after five days.
            </EmptyState>
          ),
        }}
      >
        {(data) => (
          <Stack gap="xl">
            <Streaks data={data} />
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
              <Badges badges={data.badges} />
              <Leaderboard subject={data.subject!} places={data.leaderboard} />
            </SimpleGrid>
            <Arrivals timeline={data.timeline} />
          </Stack>
        )}
      </QueryView>
    </Page>
  );
}
