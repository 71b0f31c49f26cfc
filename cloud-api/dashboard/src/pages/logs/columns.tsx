import type { AttendanceItem } from "@/api/types";
import type { Column } from "@/shared/Cells";
import { StatusBadge } from "@/shared/StatusBadge";
import { UNKNOWN } from "@/shared/format";
import { calendarDate } from "@/shared/zone";
import { Correct } from "./Correct";
import { Trail } from "./Trail";

const SOURCES: Record<string, string> = {
  face: "Face",
  pin: "PIN",
  qr: "QR code",
  manager: "Manager",
  import: "Import",
};

function proof({ source, confidence, liveness_verified }: AttendanceItem): string {
  if (!source) return UNKNOWN;
  const how = SOURCES[source] ?? source;
  if (source !== "face") return how;
  return `${how}, ${confidence ?? UNKNOWN} %, ${liveness_verified ? "alive" : "liveness not proved"}`;
}

export function recordColumns(manages: boolean): Column<AttendanceItem>[] {
  const columns: (Column<AttendanceItem> | false)[] = [
    {
      key: "date",
      header: "Date",
      cell: ({ date }) => calendarDate(date, { weekday: "short", day: "numeric", month: "short", year: "numeric" }),
    },
    manages && { key: "name", header: "Name", cell: ({ name }) => name },
    { key: "time", header: "Time", cell: ({ time }) => time?.slice(0, 5) ?? UNKNOWN },
    { key: "status", header: "Status", cell: ({ status }) => <StatusBadge status={status} /> },
    { key: "proof", header: "Marked by", cell: proof },
    { key: "trail", header: "Corrections", cell: (item) => <Trail item={item} /> },
    manages && { key: "correct", header: "Action", numeric: true, cell: (item) => <Correct item={item} /> },
  ];
  return columns.filter((column) => column !== false);
}
