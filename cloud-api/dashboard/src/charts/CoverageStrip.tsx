import classes from "./charts.module.css";
import type { RatePoint } from "./series";

const HEIGHT = 22;
const WIDTH = 1_000;

/** How much of each interval was observed, under the chart and in step with it. */
export function CoverageStrip({ points }: { points: RatePoint[] }) {
  const from = points[0]?.from ?? 0;
  const span = Math.max(1, (points.at(-1)?.to ?? 1) - from);
  return (
    <div className={classes.coverage} aria-hidden>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" height={HEIGHT} width="100%">
        {points.map((point) => {
          const x = ((point.from - from) / span) * WIDTH;
          const width = Math.max(1, ((point.to - point.from) / span) * WIDTH - 1);
          const height = point.coverage * HEIGHT;
          return <rect key={point.from} x={x} y={HEIGHT - height} width={width} height={height} />;
        })}
      </svg>
      <span className={classes.coverageLabel}>observed</span>
    </div>
  );
}
