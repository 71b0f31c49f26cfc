import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "./client";

export const devicesOptions = queryOptions({
  queryKey: ["account", "devices"],
  queryFn: () => unwrap(api.GET("/api/user/me/devices")),
});

export const sessionsOptions = queryOptions({
  queryKey: ["account", "sessions"],
  queryFn: () => unwrap(api.GET("/api/user/me/sessions")),
});

export const consentsOptions = queryOptions({
  queryKey: ["account", "consents"],
  queryFn: () => unwrap(api.GET("/api/user/me/consents")),
});
