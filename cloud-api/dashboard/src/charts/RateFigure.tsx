import { lazy } from "react";
import { duration, percent, rate } from "@/shared/format";
import { ChartFrame } from "./ChartFrame";
import { CoverageStrip } from "./CoverageStrip";
import { Legend } from "./Legend";
import type { RateChartProps } from "./RateChart";

const RateChart = lazy(() => import("./RateChart"));

interface Props extends RateChartProps {
  label: string;
}

/** The rate, its coverage below it, one's usual as a band, and the same as a table. */
export function RateFigure({ label, height = 240, ...chart }: Props) {
  const { points, band, intervalText } = chart;
  const known = points.filter((point) => point.observedMs > 0);
  return (
    <ChartFrame
      label={label}
      height={height}
      chart={<RateChart height={height} {...chart} />}
      below={
        <>
          <CoverageStrip points={points} />
          <Legend
            entries={[
              { label: "Blinks per minute", color: "var(--accent)" },
              ...(band ? [{ label: `Your usual, ${rate(band.low)} to ${rate(band.high)}`, color: "var(--usual)" }] : []),
              { label: "Part observed; a gap was not", color: "var(--coverage)" },
            ]}
          />
        </>
      }
      header={["When", "Blinks per minute", "Blinks", "Observed", "Coverage"]}
      rows={known.map((point) => [
        intervalText(point),
        rate(point.rate),
        String(point.blinks),
        duration(point.observedMs),
        percent(point.coverage),
      ])}
    />
  );
}
