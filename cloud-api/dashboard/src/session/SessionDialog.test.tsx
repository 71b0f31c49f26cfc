import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";
import { ProfileCard } from "@/pages/account/ProfileCard";
import { show } from "@/testing/render";
import { refusal, server, tokens, url, user } from "@/testing/server";
import SessionDialog from "./SessionDialog";
import { useSession, userOf } from "./store";

function Page() {
  const session = useSession();
  return (
    <>
      <ProfileCard />
      <SessionDialog opened={session.status === "ended"} user={userOf(session) ?? user} />
    </>
  );
}

it("keeps what was typed when the session ends, and saves it after the sign-in", async () => {
  const person = userEvent.setup();
  const saved: unknown[] = [];
  server.use(
    http.patch(url("/api/user/me"), async ({ request }) => {
      if (request.headers.get("Authorization") !== "Bearer again") return refusal(401, "unauthorized", "Sign in.");
      const body = (await request.json()) as { name: string };
      saved.push(body.name);
      return HttpResponse.json({ ...user, name: body.name });
    }),
    http.post(url("/api/auth/refresh"), () => refusal(401, "invalid_refresh_token", "Sign in.")),
    http.post(url("/api/auth/login"), () => HttpResponse.json(tokens("again"))),
  );
  show(<Page />);
  const name = screen.getByRole("textbox", { name: "Name" });
  await person.clear(name);
  await person.type(name, "Countess Lovelace");
  await person.click(screen.getByRole("button", { name: "Save" }));
  await screen.findByText("Sign in again to go on");
  await person.type(screen.getByLabelText("Password", { selector: "input" }), "correct horse battery");
  await person.click(screen.getByRole("button", { name: "Sign in and go on" }));
  await waitFor(() => expect(saved).toEqual(["Countess Lovelace"]));
  expect((screen.getByRole("textbox", { name: "Name", hidden: true }) as HTMLInputElement).value).toBe("Countess Lovelace");
});
