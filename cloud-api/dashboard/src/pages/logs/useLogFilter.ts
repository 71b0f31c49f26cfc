import { useSearchParams } from "react-router";
import type { Filter } from "@/api/attendance";
import type { AttendanceStatus } from "@/api/types";

const STATUSES: AttendanceStatus[] = ["present", "late", "absent", "unknown"];
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function readFilter(params: URLSearchParams): Filter {
  const date = (name: string) => (DATE.test(params.get(name) ?? "") ? params.get(name)! : undefined);
  return {
    user: params.get("user") ?? undefined,
    date_from: date("from"),
    date_to: date("to"),
    status: STATUSES.find((status) => status === params.get("status")),
  };
}

/** The filter is the address: a link leads to the same list. */
export function useLogFilter() {
  const [params, setParams] = useSearchParams();
  const change = (changed: Partial<Filter>) => {
    const { user, date_from, date_to, status } = { ...readFilter(params), ...changed };
    const kept = Object.entries({ user, from: date_from, to: date_to, status }).filter(([, value]) => value);
    setParams(Object.fromEntries(kept) as Record<string, string>, { replace: true, preventScrollReset: true });
  };
  return { filter: readFilter(params), change };
}
