import { queryOptions } from "@tanstack/react-query";
import { allPages, api, unwrap } from "./client";
import { ApiError } from "./error";
import type { AttendanceItem, AttendanceStatus, DeskPerson } from "./types";

export interface Filter {
  user?: string;
  date_from?: string;
  date_to?: string;
  status?: AttendanceStatus;
}

interface AttendancePage {
  items: AttendanceItem[];
  next_cursor: string | null;
}

export const attendanceOptions = (filter: Filter) =>
  queryOptions({
    queryKey: ["attendance", "records", filter],
    queryFn: ({ signal }) =>
      allPages((cursor) => {
        const query = { ...filter, limit: 1_000, cursor };
        // The same address answers CSV where that is asked for; here it is not.
        return unwrap(api.GET("/api/attendance/get-attendance", { params: { query }, signal })) as Promise<AttendancePage>;
      }),
  });

export const analyticsOptions = (filter: Omit<Filter, "status">) =>
  queryOptions({
    queryKey: ["attendance", "analytics", filter],
    queryFn: ({ signal }) => unwrap(api.GET("/api/attendance/get-analytics", { params: { query: filter }, signal })),
  });

export const deskPeopleOptions = queryOptions({
  queryKey: ["attendance", "people"],
  queryFn: ({ signal }) =>
    allPages((cursor) => unwrap(api.GET("/api/attendance/people", { params: { query: { limit: 1_000, cursor } }, signal }))),
});

/** Who one is at the desk; null for somebody whom the desk does not know. */
export const deskMeOptions = queryOptions({
  queryKey: ["attendance", "me"],
  queryFn: async (): Promise<DeskPerson | null> => {
    try {
      return await unwrap(api.GET("/api/attendance/me"));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  },
});
