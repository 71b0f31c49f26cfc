import { ActionIcon, Button, Group, SegmentedControl, Text, TextInput } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useUser } from "@/session/store";
import { dateText, dayOf, isoDay, longDate, parseDay, shortDate } from "@/shared/zone";
import { moved, type View, VIEWS, type Window, windowOf } from "./view";

interface Props {
  shown: Window;
  show: (window: Window) => void;
  now: number;
}

const NAMES: Record<View, string> = { day: "Day", week: "Week", month: "Month" };

export function Period({ shown, show, now }: Props) {
  const { timezone } = useUser();
  const today = dayOf(now, timezone);
  const holdsToday = shown.from <= now && now < shown.to;
  // A view that holds today opens at today, not at the first of the month.
  const change = (view: View) => show(windowOf(view, holdsToday ? today : shown.first, timezone));
  const toDate = (text: string) => {
    const day = parseDay(text);
    if (day) show(windowOf(shown.view, day, timezone));
  };
  return (
    <Group gap="md" align="end">
      <SegmentedControl
        aria-label="Length"
        value={shown.view}
        onChange={(view) => change(view as View)}
        data={VIEWS.map((value) => ({ value, label: NAMES[value] }))}
      />
      <Group gap={4} wrap="nowrap">
        <ActionIcon variant="default" aria-label={`The ${shown.view} before`} onClick={() => show(moved(shown, -1, timezone))}>
          <IconChevronLeft size={20} />
        </ActionIcon>
        <TextInput
          type="date"
          aria-label="Date"
          max={isoDay(today)}
          value={isoDay(shown.first)}
          onChange={(event) => toDate(event.currentTarget.value)}
        />
        <ActionIcon
          variant="default"
          aria-label={`The ${shown.view} after`}
          disabled={shown.to > now}
          onClick={() => show(moved(shown, 1, timezone))}
        >
          <IconChevronRight size={20} />
        </ActionIcon>
      </Group>
      {!holdsToday && (
        <Button variant="default" onClick={() => show(windowOf(shown.view, today, timezone))}>
          Today
        </Button>
      )}
      <Text c="dimmed" fz="sm" role="status" mih={44} style={{ display: "grid", placeItems: "center" }}>
        {spoken(shown, timezone)}
      </Text>
    </Group>
  );
}

export function spoken({ view, from, to }: Window, zone: string): string {
  if (view === "day") return dateText(from, zone);
  return `${shortDate(from, zone)} to ${longDate(to - 1, zone)}`;
}
