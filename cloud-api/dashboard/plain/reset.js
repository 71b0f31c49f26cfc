"use strict";
// The token is after the #: it never reaches a server's log.
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
document.getElementById("reset").addEventListener("submit", async (event) => {
  event.preventDefault();
  const state = document.getElementById("state");
  state.textContent = "";
  try {
    const answer = await fetch("/api/auth/reset", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, password: document.getElementById("password").value }),
    });
    if (answer.ok) {
      location.replace("/");
      return;
    }
    const json = await answer.json();
    state.textContent = Object.values(json.error.fields ?? {})[0] ?? json.error.message;
  } catch {
    state.textContent = "The server cannot be reached. Try again in a moment.";
  }
});
