import { queryOptions, useQuery } from "@tanstack/react-query";
import { addDays, dayOf, MINUTE_MS, startOf } from "@/shared/zone";
import { allPages, api, unwrap } from "./client";
import type { Group, HistoryItem } from "./types";

export interface Range {
  from: number;
  to: number;
  group: Group;
}

const iso = (at: number) => new Date(at).toISOString();

async function fetchHistory({ from, to, group }: Range, signal: AbortSignal): Promise<HistoryItem[]> {
  return allPages((cursor) => {
    const query = { from: iso(from), to: iso(to), group, limit: 1_000, cursor };
    return unwrap(api.GET("/api/user/{id}/blinks", { params: { path: { id: "me" }, query }, signal }));
  }, 50_000);
}

/** One's own history; the key begins with "history", so that all of it is renewed together. */
export const historyOptions = (range: Range) =>
  queryOptions({
    queryKey: ["history", range.group, range.from, range.to],
    queryFn: ({ signal }) => fetchHistory(range, signal),
  });

/** How often new minutes are looked for while a page is seen. */
export const LIVE_MS = 10_000;

export function useHistory(range: Range, live = false) {
  return useQuery({
    ...historyOptions(range),
    refetchInterval: live ? LIVE_MS : false,
  });
}

const USUAL_DAYS = 28;

/** The four weeks before a day, from which one's usual is drawn. */
export function useUsualDays(zone: string, group: "hour" | "day", at: number) {
  const today = dayOf(at, zone);
  const range = { from: startOf(addDays(today, -USUAL_DAYS), zone), to: startOf(today, zone), group };
  return useQuery({ ...historyOptions(range), staleTime: 60 * MINUTE_MS });
}

export function useInsights() {
  return useQuery({
    queryKey: ["history", "insights"],
    queryFn: () => unwrap(api.GET("/api/user/me/insights")),
    staleTime: 5 * MINUTE_MS,
  });
}
