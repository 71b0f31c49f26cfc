import { List, Stack, Text } from "@mantine/core";
import { useInsights } from "@/api/history";
import type { Insights } from "@/api/types";
import { EmptyState } from "@/shared/EmptyState";
import { Figure } from "@/shared/Figure";
import { QueryView } from "@/shared/QueryView";
import { Section } from "@/shared/Section";
import { StatsGrid } from "@/shared/StatsGrid";
import { duration, percent, rate, UNKNOWN } from "@/shared/format";

const WORDS: Record<Insights["comparison"]["verdict"], string> = {
  up: "more than usual in comparable hours",
  down: "less than usual in comparable hours",
  steady: "as usual in comparable hours",
  unknown: "cannot be told",
};

/** While servers are restarted one by one, one of before may answer, without a comparison. */
const compared = (insights: Insights) => insights.comparison as Insights["comparison"] | undefined;

/** A change that may be chance is not shown as a figure; the sentences say why. */
function change(comparison: Insights["comparison"] | undefined): string {
  const value = comparison?.change_percent ?? null;
  if (value === null || comparison?.verdict === "unknown") return UNKNOWN;
  const whole = Math.round(value);
  return `${whole > 0 ? "+" : whole < 0 ? "−" : "±"}${Math.abs(whole)} %`;
}

const hour = (found: Insights["best_hour"]) => (found ? `${String(found.hour).padStart(2, "0")}:00` : UNKNOWN);

export function WeekCard() {
  const insights = useInsights();
  return (
    <Section title="This week against your usual" note="The last seven days, and your own four weeks before">
      <QueryView
        query={insights}
        empty={{
          when: (data) => data.blinks_per_minute === null,
          show: <EmptyState title="Not enough this week">A few observed minutes are needed before a week says anything.</EmptyState>,
        }}
      >
        {(data) => (
          <Stack>
            <StatsGrid>
              <Figure label="This week" value={rate(data.blinks_per_minute)} unit="per minute" over={`over ${duration(data.observed_ms)} observed`} />
              <Figure label="Your usual" value={rate(data.baseline_blinks_per_minute)} unit="per minute" over="the four weeks before" />
              <Figure label="Change" value={change(compared(data))} over={WORDS[compared(data)?.verdict ?? "unknown"]} />
              <Figure label="Most blinks from" value={hour(data.best_hour ?? null)} over={`fewest from ${hour(data.worst_hour ?? null)}`} />
            </StatsGrid>
            <List fz="sm" spacing={4} aria-label="In words">
              {data.text.map((sentence) => (
                <List.Item key={sentence}>{sentence}</List.Item>
              ))}
            </List>
            <Text fz="xs" c="dimmed">
              Coverage {percent(data.coverage)}. These figures describe; they are no diagnosis.
            </Text>
          </Stack>
        )}
      </QueryView>
    </Section>
  );
}
