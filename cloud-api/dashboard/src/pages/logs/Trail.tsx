import { Button, Popover, Stack, Text } from "@mantine/core";
import type { AttendanceItem } from "@/api/types";
import { useUser } from "@/session/store";
import { plural, UNKNOWN } from "@/shared/format";
import { dateTime } from "@/shared/zone";

/** What managers changed, and why; the person sees it too. */
export function Trail({ item: { corrections } }: { item: AttendanceItem }) {
  const { timezone } = useUser();
  if (corrections.length === 0) return "None";
  return (
    <Popover width={300} withArrow trapFocus>
      <Popover.Target>
        <Button variant="subtle" px="xs">
          {plural(corrections.length, "correction")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          {corrections.map(({ at, reason, status_before, status_after, time_before, time_after }) => (
            <div key={at}>
              <Text fz="xs" c="dimmed">
                {dateTime(at, timezone)}
              </Text>
              <Text fz="sm">
                {status_before ?? "no record"} {time_before?.slice(0, 5)} → {status_after ?? UNKNOWN} {time_after?.slice(0, 5)}
              </Text>
              <Text fz="sm">“{reason}”</Text>
            </div>
          ))}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
