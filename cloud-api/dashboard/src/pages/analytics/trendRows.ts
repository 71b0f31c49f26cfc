import type { Analytics } from "@/api/types";

type Row = Record<string, string | number | null>;

/** One row for each week, with a column for each person; two of one name are told apart by their id. */
export function trendRows(trends: Analytics["trends"]): { rows: Row[]; names: string[] } {
  const names = trends.map(({ id, name }) => (trends.filter((other) => other.name === name).length > 1 ? `${name} (${id})` : name));
  const weeks = [...new Set(trends.flatMap(({ points }) => points.map(({ from }) => from)))].sort();
  const rows = weeks.map((from) => {
    const row: Row = { from };
    trends.forEach(({ points }, n) => {
      row[names[n]!] = points.find((point) => point.from === from)?.pct ?? null;
    });
    return row;
  });
  return { rows, names };
}
