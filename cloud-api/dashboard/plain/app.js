"use strict";
// The access token lives in this page's memory. The refresh token is a cookie that no script can read.
let access = null;
let user = null;

const $ = (id) => document.getElementById(id);
const JSON_TYPE = { "Content-Type": "application/json" };

/** A refusal, with the server's code and the first field at fault. */
class Refusal extends Error {
  constructor(answer, json) {
    const field = Object.values(json.error?.fields ?? {})[0];
    super(json.error?.message ?? `The server answered ${answer.status}.`);
    if (field) this.message += ` (${Object.keys(json.error.fields)[0]} ${field})`;
    this.status = answer.status;
    this.code = json.error?.code;
    this.fields = json.error?.fields ?? {};
  }
}

async function send(path, { headers, ...options } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      cache: "no-store",
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
      headers: { "X-WAW-Client": "web", ...headers },
      ...options,
    });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer, json);
  return json;
}

function keep(session) {
  access = session.access_token;
  user = session.user;
}

// One page at a time: two that exchange the same token at once would end the session.
function refresh() {
  const exchange = async () => keep(await send("/api/auth/refresh", { method: "POST" }));
  return navigator.locks ? navigator.locks.request("waw-refresh", exchange) : exchange();
}

async function signedIn(path, options = {}) {
  const ask = () => send(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${access}` } });
  try {
    return await ask();
  } catch (e) {
    if (e.code === "consent_required") showConsent();
    if (e.status !== 401) throw e;
  }
  try {
    await refresh();
  } catch (e) {
    if (e.status === 401) showSignIn();
    throw e;
  }
  return ask();
}

function get(path) {
  return signedIn(path);
}

const rate = (value) => (value === null ? "–" : value.toFixed(1));

function duration(ms) {
  const minutes = Math.round(ms / 60000);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function label(item, group) {
  const from = new Date(item.from_timestamp);
  const zone = { timeZone: user.timezone };
  const day = from.toLocaleDateString(undefined, { ...zone, dateStyle: "medium" });
  if (group === "day") return day;
  if (group === "week") return `week of ${day}`;
  return `${day}, ${from.toLocaleTimeString(undefined, { ...zone, timeStyle: "short" })}`;
}

function row(item, group) {
  const tr = document.createElement("tr");
  const cells = [
    label(item, group),
    item.blink_count,
    rate(item.blinks_per_minute),
    duration(item.observed_ms),
    `${Math.round(item.coverage * 100)} %`,
  ];
  for (const text of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    tr.append(td);
  }
  return tr;
}

// How far back each table looks: about a hundred rows of a working person.
const reachMs = { minute: 2 * 3600e3, hour: 4 * 86400e3, day: 60 * 86400e3, week: 365 * 86400e3 };

async function load() {
  const group = $("group").value;
  $("reload").disabled = true;
  $("state").textContent = "Loading …";
  try {
    const since = (ms) => encodeURIComponent(new Date(Date.now() - ms).toISOString());
    const base = `/api/user/${user.id}/blinks`;
    const [days, history] = await Promise.all([
      get(`${base}?group=day&from=${since(2 * 86400e3)}`),
      get(`${base}?group=${group}&limit=1000&from=${since(reachMs[group])}`),
    ]);
    const now = Date.now();
    const today = days.items.find((d) => Date.parse(d.from_timestamp) <= now && now < Date.parse(d.to_timestamp));
    $("today-count").textContent = today ? today.blink_count : "0";
    $("today-rate").textContent = today ? rate(today.blinks_per_minute) : "–";
    $("today-observed").textContent = today ? duration(today.observed_ms) : "0 min";
    const items = history.items.slice().reverse();
    $("rows").replaceChildren(...items.map((item) => row(item, group)));
    $("state").textContent = items.length ? "" : "No minutes yet. They arrive about a minute after blinkd has counted them.";
  } catch (e) {
    $("state").textContent = e.message;
  } finally {
    $("reload").disabled = false;
  }
}

const VIEWS = ["sign-in", "consent", "device", "home"];

function show(view) {
  for (const id of VIEWS) $(id).hidden = id !== view;
  $("sign-out").hidden = view === "sign-in";
}

function showSignIn() {
  access = user = null;
  $("rows").replaceChildren();
  show("sign-in");
  $("email").focus();
}

async function showConsent() {
  if (!$("consent").hidden) return;
  show("consent");
  $("earlier").hidden = $("earlier").disabled = true;
  try {
    const { tracking } = await send("/api/consents");
    $("consent-text").textContent = tracking.text;
    $("consent-yes").value = tracking.version;
    $("consent-yes").disabled = false;
  } catch (e) {
    $("consent-error").textContent = e.message;
  }
}

async function showHome() {
  $("who").textContent = `${user.name ?? user.email} · times in ${user.timezone}`;
  if (location.pathname === "/device") {
    show("device");
    $("code").value = new URLSearchParams(location.search).get("code") ?? "";
    $("code").dispatchEvent(new Event("input"));
    $("code").focus();
    // Who has not consented yet is told now, not after typing a code.
    await get("/api/user/me").catch(() => {});
    return;
  }
  show("home");
  load();
}

async function decideDevice(approve) {
  $("device-error").textContent = "";
  try {
    const body = { user_code: $("code").value };
    if (approve !== undefined) body.approve = approve;
    const found = await signedIn("/api/auth/device/approve", {
      method: "POST",
      headers: JSON_TYPE,
      body: JSON.stringify(body),
    });
    // The address is what the server saw. The name is what the device says: it stands apart, so that it cannot pass for
    // the address.
    const said = {
      waiting: `A device at ${found.address} waits to be signed in to your account. Is it yours?`,
      approved: `The device at ${found.address} is signed in. You can close this page.`,
      denied: `The device at ${found.address} was refused.`,
    };
    $("device-said").textContent = said[found.status];
    $("device-name").textContent = found.device_name;
    $("device-found").hidden = false;
    $("device-look").hidden = true;
    $("device-decide").hidden = found.status !== "waiting";
  } catch (e) {
    if (e.code === "fresh_sign_in_required") return confirmPerson();
    $("device-error").textContent = e.message;
  }
}

/** Asks for a new sign-in and comes back to the device, whichever way the person signs in. */
function confirmPerson() {
  history.replaceState(null, "", `/device?code=${encodeURIComponent($("code").value)}`);
  leadBack();
  showSignIn();
  $("sign-in-error").textContent = "A device stays signed in for a long time: sign in again to confirm that it is you.";
}

$("device").addEventListener("submit", (event) => {
  event.preventDefault();
  decideDevice();
});
$("device-yes").addEventListener("click", () => decideDevice(true));
$("device-no").addEventListener("click", () => decideDevice(false));
$("code").addEventListener("input", () => {
  $("device-look").hidden = false;
  $("device-found").hidden = $("device-decide").hidden = true;
});

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = event.submitter ?? $("sign-in").querySelector("button");
  button.disabled = true;
  $("sign-in-error").textContent = "";
  try {
    const body = JSON.stringify({ email: $("email").value, password: $("password").value });
    keep(await send("/api/auth/login", { method: "POST", headers: JSON_TYPE, body }));
    $("sign-in").reset();
    showHome();
  } catch (e) {
    $("sign-in-error").textContent = e.message;
  } finally {
    button.disabled = false;
  }
});

$("sign-out").addEventListener("click", async () => {
  const headers = access ? { Authorization: `Bearer ${access}` } : {};
  showSignIn();
  try {
    await send("/api/auth/logout", { method: "POST", headers });
  } catch (e) {
    if (e.status !== 401) $("sign-in-error").textContent = `You may still be signed in: ${e.message}`;
  }
});

$("consent").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("consent-error").textContent = "";
  try {
    const said = { kind: "tracking", granted: true, version: $("consent-yes").value };
    const earlier = new FormData($("consent")).get("earlier");
    if (earlier) said.earlier_minutes = earlier;
    await signedIn("/api/user/me/consents", { method: "PUT", headers: JSON_TYPE, body: JSON.stringify(said) });
    showHome();
  } catch (e) {
    if (e.fields?.earlier_minutes && $("earlier").hidden) {
      $("earlier").hidden = $("earlier").disabled = false;
      $("earlier").querySelector("input").focus();
      return;
    }
    $("consent-error").textContent = e.message;
  }
});

$("consent-no").addEventListener("click", async () => {
  $("consent-error").textContent = "";
  try {
    await signedIn("/api/user/me", { method: "DELETE" });
    showSignIn();
    $("sign-in-error").textContent = "The account and all that was held of it are erased.";
  } catch (e) {
    $("consent-error").textContent = e.message;
  }
});

$("group").addEventListener("change", load);
$("reload").addEventListener("click", load);
setInterval(() => {
  if (user && !document.hidden && !$("home").hidden) load();
}, 60000);

/** Lets the provider send back to the page that is left, a tray's code included. */
function leadBack() {
  const [way] = $("provider").getAttribute("href").split("?");
  $("provider").href = `${way}?next=${encodeURIComponent(location.pathname + location.search)}`;
}
leadBack();

(async () => {
  const address = new URL(location.href);
  if (address.searchParams.has("signed_in")) {
    address.searchParams.delete("signed_in");
    history.replaceState(null, "", address);
  }
  try {
    await refresh();
    await showHome();
  } catch (e) {
    showSignIn();
    if (e.status !== 401) $("sign-in-error").textContent = e.message;
  }
})();
