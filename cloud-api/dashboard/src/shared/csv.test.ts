import { expect, it } from "vitest";
import { historyCsv } from "@/pages/history/rows";
import { toCsv } from "./csv";

it.each([
  ["plain", "plain"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  ["=1+1", "'=1+1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["-2", "'-2"],
  ["+2,3", "\"'+2,3\""],
])("writes the text %j as %j", (text, cell) => {
  expect(toCsv(["x"], [[text]])).toBe(`x\r\n${cell}\r\n`);
});

it("writes numbers as numbers, negative ones too, and nothing for what is unknown", () => {
  expect(toCsv(["a", "b", "c"], [[-1.5, null, true]])).toBe("a,b,c\r\n-1.5,,true\r\n");
});

it("exports history in the API's names, an unknown rate as an empty cell", () => {
  const csv = historyCsv([
    {
      from_timestamp: "2026-03-02T08:00:00Z",
      to_timestamp: "2026-03-02T08:01:00Z",
      blink_count: 0,
      observed_ms: 4_000,
      blinks_per_minute: null,
      coverage: 0.07,
      quality: "insufficient",
    },
  ]);
  expect(csv.split("\r\n")[1]).toBe("2026-03-02T08:00:00Z,2026-03-02T08:01:00Z,0,4000,,0.07,insufficient");
});
