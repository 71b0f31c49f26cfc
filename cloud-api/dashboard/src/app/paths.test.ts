import { expect, it } from "vitest";
import { readFeatures } from "./features";
import { safeNext, signInFor } from "./paths";

it.each([
  [null, "/"],
  ["/history?view=week", "/history?view=week"],
  ["//evil.example", "/"],
  ["https://evil.example/", "/"],
  ["/\\evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["/\t/evil.example", "/"],
])("after sign-in %j leads to %s", (next, target) => expect(safeNext(next)).toBe(target));

it("leads back to where somebody wanted to go", () => {
  expect(signInFor("/")).toBe("/sign-in");
  expect(new URLSearchParams(signInFor("/device?code=BCDF-GHJK").split("?")[1]).get("next")).toBe("/device?code=BCDF-GHJK");
});

it("reads what the server offers", () => {
  expect(readFeatures('{"google":false,"ask":false,"demo":true}')).toEqual({ google: false, ask: false, demo: true });
  expect(readFeatures("{features}")).toEqual({ google: true, ask: true, demo: false });
});
