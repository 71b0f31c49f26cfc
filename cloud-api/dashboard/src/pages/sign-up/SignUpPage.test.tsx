import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import { getSession } from "@/session/store";
import { show } from "@/testing/render";
import { refusal, server, tokens, url } from "@/testing/server";
import SignUpPage from "./SignUpPage";

const fill = async () => {
  const person = userEvent.setup();
  await screen.findByText("What tracking means.");
  await person.type(screen.getByRole("textbox", { name: /E-mail/ }), "ada@example.org");
  await person.type(screen.getByLabelText(/Password/, { selector: "input" }), "correct horse battery");
  return person;
};

it("shows the consent in full, and never ticks it", async () => {
  show(<SignUpPage />, { who: null });
  expect(await screen.findByText("What tracking means.")).toBeTruthy();
  expect(screen.getByText("Your choice.")).toBeTruthy();
  expect((screen.getByRole("checkbox") as HTMLInputElement).checked).toBe(false);
});

it("sends nothing without consent", async () => {
  show(<SignUpPage />, { who: null });
  const person = await fill();
  await person.click(screen.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText(/there can be no account/)).toBeTruthy();
});

it("registers with the version that was shown", async () => {
  let sent: Record<string, unknown> = {};
  server.use(
    http.post(url("/api/auth/register"), async ({ request }) => {
      sent = (await request.json()) as typeof sent;
      return HttpResponse.json(tokens(), { status: 201 });
    }),
  );
  show(<SignUpPage />, { who: null });
  const person = await fill();
  await person.click(screen.getByRole("checkbox"));
  await person.click(screen.getByRole("button", { name: "Create account" }));
  await waitFor(() => expect(getSession().status).toBe("active"));
  expect(sent.consent).toEqual({ tracking: true, version: "1" });
});

it("shows the server's words at the field, and keeps what was typed", async () => {
  server.use(http.post(url("/api/auth/register"), () => refusal(422, "invalid", "Some fields are wrong.", { email: "mixes scripts" })));
  show(<SignUpPage />, { who: null });
  const person = await fill();
  await person.click(screen.getByRole("checkbox"));
  await person.click(screen.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText("mixes scripts")).toBeTruthy();
  expect((screen.getByRole("textbox", { name: /E-mail/ }) as HTMLInputElement).value).toBe("ada@example.org");
});
