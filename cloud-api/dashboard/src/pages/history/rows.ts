import type { Group, HistoryItem } from "@/api/types";
import { toCsv } from "@/shared/csv";
import type { Column } from "@/shared/Cells";
import { count, duration, percent, rate } from "@/shared/format";
import { clock, weekdayDate } from "@/shared/zone";

export type Measured = "all" | "good" | "half";

export function keeps(item: HistoryItem, measured: Measured): boolean {
  if (measured === "good") return item.quality === "good";
  return measured === "half" ? item.coverage >= 0.5 : true;
}

function when(item: HistoryItem, grain: Group, zone: string): string {
  const day = weekdayDate(item.from_timestamp, zone);
  if (grain === "day") return day;
  return grain === "week" ? `Week of ${day}` : `${day}, ${clock(item.from_timestamp, zone)}`;
}

export function columns(grain: Group, zone: string): Column<HistoryItem>[] {
  return [
    { key: "when", header: "When", cell: (item) => when(item, grain, zone) },
    { key: "rate", header: "Blinks per minute", numeric: true, cell: (item) => rate(item.blinks_per_minute) },
    { key: "blinks", header: "Blinks", numeric: true, cell: (item) => count(item.blink_count) },
    { key: "observed", header: "Observed", numeric: true, cell: (item) => duration(item.observed_ms) },
    { key: "coverage", header: "Coverage", numeric: true, cell: (item) => percent(item.coverage) },
  ];
}

const HEADER = ["from_timestamp", "to_timestamp", "blink_count", "observed_ms", "blinks_per_minute", "coverage", "quality"];

/** The API's own names and units; an unknown rate is an empty cell. */
export function historyCsv(items: HistoryItem[]): string {
  return toCsv(
    HEADER,
    items.map((item) => [
      item.from_timestamp, item.to_timestamp, item.blink_count, item.observed_ms, item.blinks_per_minute, item.coverage, item.quality,
    ]),
  );
}
