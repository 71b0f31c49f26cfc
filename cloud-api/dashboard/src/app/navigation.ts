import {
  IconChartBar, IconClipboardList, IconHistory, IconHome, IconMessageQuestion, IconScan, IconSettings,
  IconTrophy, IconUsers, IconUserShield, type TablerIcon,
} from "@tabler/icons-react";
import type { Role } from "@/api/types";
import { atLeast } from "@/session/roles";
import { features } from "./features";
import { paths } from "./paths";

export interface Place {
  to: string;
  label: string;
  icon: TablerIcon;
}

export interface Section {
  label: string;
  places: Place[];
}

const own: Place[] = [
  { to: paths.home, label: "Home", icon: IconHome },
  { to: paths.history, label: "History", icon: IconHistory },
];
const ask: Place = { to: paths.ask, label: "Ask", icon: IconMessageQuestion };
const desk: Place[] = [
  { to: paths.daily, label: "Check in", icon: IconScan },
  { to: paths.logs, label: "Attendance log", icon: IconClipboardList },
  { to: paths.analytics, label: "Analytics", icon: IconChartBar },
  { to: paths.gamification, label: "Badges", icon: IconTrophy },
];
const team: Place = { to: paths.team, label: "Team", icon: IconUsers };
const admin: Place = { to: paths.admin, label: "People and enrolment", icon: IconUserShield };
const account: Place = { to: paths.account, label: "Account", icon: IconSettings };

/** Where somebody of this role may go. */
export function sectionsFor(role: Role): Section[] {
  const organisation = atLeast(role, "manager") ? [team, admin] : [team];
  return [
    { label: "Your eyes", places: features.ask ? [...own, ask] : own },
    { label: "Attendance", places: desk },
    { label: "Organisation", places: organisation },
    { label: "You", places: [account] },
  ];
}

/** The places of the bar at the foot of a phone. */
export const primary: Place[] = [...own, desk[0]!];
