import type { Analytics } from "@/api/types";
import { Figure } from "@/shared/Figure";
import { StatsGrid } from "@/shared/StatsGrid";
import { count, pct, plural } from "@/shared/format";
import { attendedPct, tally } from "@/pages/analytics/tally";

export function Streaks({ data }: { data: Analytics }) {
  const all = tally(data.daily);
  return (
    <StatsGrid>
      <Figure label="Streak now" value={count(data.streaks.current)} unit={data.streaks.current === 1 ? "day" : "days"} over="expected days in a row" />
      <Figure label="Longest streak" value={count(data.streaks.best)} unit={data.streaks.best === 1 ? "day" : "days"} over="an undecided day ends none" />
      <Figure label="Attended" value={pct(attendedPct(all))} over={`of ${plural(all.attended + all.absent, "decided day")}`} />
      <Figure label="Badges" value={count(data.badges.length)} over="earned" />
    </StatsGrid>
  );
}
