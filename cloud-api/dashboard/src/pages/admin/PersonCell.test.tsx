import { fireEvent, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { show } from "@/testing/render";
import { PersonCell } from "./PersonCell";

it("shows initials where a photo cannot be loaded", () => {
  const person = { id: "ada", name: "Ada Lovelace", user_id: null, enrolled_on: "2026-03-02", has_biometrics: true, has_pin: false, image_path: "/photo" };
  const { container } = show(<PersonCell person={person} />);
  const photo = container.querySelector("img")!;
  expect(screen.queryByText("AL")).toBeNull();
  fireEvent.error(photo);
  expect(screen.getByText("AL")).toBeTruthy();
  expect(container.querySelector("img")).toBeNull();
});
