import { expect, test } from "vitest";
import { show } from "@/testing/render";
import { Answer } from "./Answer";

test("numbers that the server struck out are struck out, and all the rest is text", () => {
  const { container } = show(<Answer text={"You blinked ~~17.3~~ times, <b>14</b> today ~~."} />);
  expect([...container.querySelectorAll("del")].map((element) => element.textContent)).toEqual(["17.3"]);
  expect(container.textContent).toContain("You blinked 17.3 times, <b>14</b> today ~~.");
});
