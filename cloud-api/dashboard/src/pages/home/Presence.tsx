import { Box, Stack, Text } from "@mantine/core";
import type { AttendanceItem, DeskPerson } from "@/api/types";
import { EmptyState } from "@/shared/EmptyState";
import { Figure } from "@/shared/Figure";
import { StatsGrid } from "@/shared/StatsGrid";
import { StatusBadge } from "@/shared/StatusBadge";
import { count, plural } from "@/shared/format";
import classes from "./Presence.module.css";

interface Props {
  records: AttendanceItem[];
  people: DeskPerson[];
}

/** Who is here now: everybody who was marked today. */
export function Presence({ records, people }: Props) {
  const here = records.filter(({ status }) => status === "present" || status === "late");
  const late = here.filter(({ status }) => status === "late").length;
  const missing = people.length - here.length;
  const share = people.length === 0 ? "nobody is enrolled" : `of ${plural(people.length, "person", "people")}`;
  return (
    <Stack gap="md">
      <StatsGrid>
        <Figure label="Here now" value={count(here.length)} over={share} />
        <Figure label="In time" value={count(here.length - late)} over={`of ${count(here.length)} here`} />
        <Figure label="Late" value={count(late)} tone={late > 0 ? "late" : undefined} over={`of ${count(here.length)} here`} />
        <Figure label="Not marked yet" value={count(Math.max(0, missing))} over="today is no absence before it is over" />
      </StatsGrid>
      {here.length === 0 ? (
        <EmptyState title="Nobody is marked yet today">People appear here as soon as the desk has marked them.</EmptyState>
      ) : (
        <ul className={classes.people} aria-label="Who is here now">
          {here.map(({ record_id, name, time, status }) => (
            <li key={record_id ?? name}>
              <Box miw={0}>
                <Text fz="sm" fw={600} truncate>
                  {name}
                </Text>
                <Text fz="xs" c="dimmed" className="tabular">
                  since {time?.slice(0, 5)}
                </Text>
              </Box>
              <StatusBadge status={status} />
            </li>
          ))}
        </ul>
      )}
    </Stack>
  );
}
