import { Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { devicesOptions } from "@/api/account";
import type { Device, HistoryItem } from "@/api/types";
import { paths } from "@/app/paths";
import { sums } from "@/charts/series";
import { useUser } from "@/session/store";
import { count, duration, plural } from "./format";
import { TextLink } from "./TextLink";
import { clock } from "./zone";

/** `blinkd/0.1.0` as people write it. */
const programOf = ({ user_agent }: Device) => user_agent?.replace("/", " ") ?? "a program that did not name itself";

/** Its minutes, how much of them was observed, and by which devices. */
export default function Source({ items }: { items: HistoryItem[] }) {
  const { timezone } = useUser();
  const devices = useQuery(devicesOptions);
  const { blinks, observedMs } = sums(items);
  const [first, last] = [items[0], items.at(-1)];
  const since = first ? Date.parse(first.from_timestamp) : 0;
  const sending = devices.data?.items.filter((device) => Date.parse(device.last_seen_at) >= since) ?? [];
  if (!first || !last) return <Text fz="sm">No minute has arrived yet today, so there is nothing to count.</Text>;
  return (
    <Stack gap={10} fz="sm">
      <Text fz="sm">
        {plural(items.length, "minute")} from {clock(first.from_timestamp, timezone)} to {clock(last.to_timestamp, timezone)},
        in which your eyes could be observed for {duration(observedMs)}.
      </Text>
      <Text fz="sm">
        Rate = {count(blinks)} blinks ÷ {duration(observedMs)} observed. Time that was not observed counts as unknown.
      </Text>
      {sending.map((device) => (
        <Text key={device.device_id} fz="sm">
          Last sent by device …{device.device_id.slice(-8)} with {programOf(device)}, at {clock(device.last_seen_at, timezone)}.
        </Text>
      ))}
      <TextLink to={paths.history}>See every minute</TextLink>
    </Stack>
  );
}
