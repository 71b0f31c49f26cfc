import type { Analytics } from "@/api/types";
import { Figure } from "@/shared/Figure";
import { StatsGrid } from "@/shared/StatsGrid";
import { count, pct, plural } from "@/shared/format";
import { calendarDate } from "@/shared/zone";
import { attendedPct, tally } from "./tally";

export function Totals({ data }: { data: Analytics }) {
  const all = tally(data.daily);
  const decided = all.attended + all.absent;
  return (
    <StatsGrid>
      <Figure label="Attended" value={pct(attendedPct(all))} over={`of ${plural(decided, "decided day")}`} />
      <Figure label="In time" value={count(all.present)} over={`of ${count(all.attended)} attended`} />
      <Figure label="Late" value={count(all.late)} over={`of ${count(all.attended)} attended`} tone={all.late ? "late" : undefined} />
      <Figure label="Absent" value={count(all.absent)} over={`and ${count(all.unknown)} undecided`} tone={all.absent ? "absent" : undefined} />
      <Figure
        label="People"
        value={count(data.people)}
        over={`${calendarDate(data.date_from, { day: "numeric", month: "short" })} to ${calendarDate(data.date_to, { day: "numeric", month: "short" })}`}
      />
    </StatsGrid>
  );
}
