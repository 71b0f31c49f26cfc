import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type User = Schemas["User"];
export type Role = Schemas["Role"];
export type TokenResponse = Schemas["TokenResponse"];
export type HistoryItem = Schemas["HistoryItem"];
export type Insights = Schemas["Insights"];
export type ConsentKind = Schemas["ConsentKind"];
export type Consent = Schemas["Consent"];
export type Session = Schemas["Session"];
export type Device = Schemas["Device"];
export type DeviceDecision = Schemas["DeviceDecision"];
export type ErasureReceipt = Schemas["ErasureReceipt"];
export type Analytics = Schemas["AttendanceAnalytics"];
export type Period = Schemas["AttendancePeriod"];
export type AttendanceItem = Schemas["AttendanceItem"];
export type AttendanceStatus = Schemas["AttendanceStatus"];
export type Challenge = Schemas["ChallengeResponse"];
export type MarkResponse = Schemas["MarkResponse"];
export type DeskPerson = Schemas["DeskPerson"];
export type Team = Schemas["Team"];
export type TeamWeek = Schemas["TeamWeek"];
export type Group = "minute" | "hour" | "day" | "week";
