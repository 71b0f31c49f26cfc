import type { Role } from "@/api/types";

const RANK: Record<Role, number> = { kiosk: 0, member: 1, manager: 2, admin: 3 };

export const atLeast = (role: Role, least: Role): boolean => RANK[role] >= RANK[least];

export const ROLE_NAMES: Record<Role, string> = {
  kiosk: "Kiosk",
  member: "Member",
  manager: "Manager",
  admin: "Admin",
};
