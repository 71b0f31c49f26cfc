import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { LIVE_MS, useHistory } from "@/api/history";
import { useUser } from "@/session/store";
import { addDays, dayOf, startOf } from "@/shared/zone";

/** Today's minutes, renewed while the page is seen. */
export function useToday(now: number) {
  const { timezone } = useUser();
  const today = dayOf(now, timezone);
  const range = { from: startOf(today, timezone), to: startOf(addDays(today, 1), timezone), group: "minute" as const };
  return { ...useHistory(range, true), range };
}

/** Whether there is any minute at all; asked again until there is one. */
export function useEver() {
  return useQuery({
    queryKey: ["history", "ever"],
    queryFn: async () => {
      const query = { group: "week" as const, limit: 1 };
      const { items } = await unwrap(api.GET("/api/user/{id}/blinks", { params: { path: { id: "me" }, query } }));
      return items.length > 0;
    },
    refetchInterval: ({ state }) => (state.data === true ? false : LIVE_MS),
  });
}
