import { SimpleGrid, Skeleton, Stack } from "@mantine/core";
import { IconChartBar } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { analyticsOptions } from "@/api/attendance";
import type { Analytics } from "@/api/types";
import { atLeast } from "@/session/roles";
import { useUser } from "@/session/store";
import { DateRange } from "@/shared/DateRange";
import { EmptyState } from "@/shared/EmptyState";
import { Page } from "@/shared/Page";
import { PersonSelect } from "@/shared/PersonSelect";
import { QueryView } from "@/shared/QueryView";
import { useNow } from "@/shared/useNow";
import { addDays, dayOf, isoDay } from "@/shared/zone";
import { Attended } from "./Attended";
import { Late } from "./Late";
import { Periods } from "./Periods";
import { Totals } from "./Totals";

const Trends = lazy(() => import("./Trends"));

const DAYS = 90;

const nothing = ({ daily }: Analytics) => daily.every((day) => day.present + day.late + day.absent + day.unknown === 0);

export default function AnalyticsPage() {
  const { role, timezone } = useUser();
  const now = useNow();
  const [user, setUser] = useState<string>();
  const [range, setRange] = useState(() => ({ from: isoDay(addDays(dayOf(now, timezone), -DAYS)), to: "" }));
  const manages = atLeast(role, "manager");
  const query = useQuery(analyticsOptions({ user, date_from: range.from || undefined, date_to: range.to || undefined }));
  return (
    <Page title="Analytics" lead={manages ? "Attendance of everybody, or of one person." : "Your own attendance."}>
      <SimpleGrid cols={{ base: 2, md: manages ? 3 : 2 }}>
        {manages && <PersonSelect value={user} onChange={setUser} />}
        <DateRange from={range.from} to={range.to} onChange={setRange} />
      </SimpleGrid>
      <QueryView
        query={query}
        height={560}
        empty={{
          when: nothing,
          show: (
            <EmptyState title="No attendance in these days" icon={IconChartBar}>
              Choose other dates. Figures begin with the first day somebody is expected.
            </EmptyState>
          ),
        }}
      >
        {(data) => (
          <Stack gap="xl">
            <Totals data={data} />
            <Periods data={data} />
            <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
              <Attended data={data} />
              <Late data={data} />
            </SimpleGrid>
            <Suspense fallback={<Skeleton height={400} />}>
              <Trends data={data} />
            </Suspense>
          </Stack>
        )}
      </QueryView>
    </Page>
  );
}
