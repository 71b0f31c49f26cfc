"use strict";
// Tokens live in this page's memory only: closing the page signs it out here.
const tokens = { access: null, refresh: null };
let user = null;

const $ = (id) => document.getElementById(id);

async function send(path, options) {
  try {
    return await fetch(path, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer", ...options });
  } catch {
    throw new Error("The server cannot be reached. Try again in a moment.");
  }
}

async function post(path, body) {
  const answer = await send(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error?.message ?? `The server answered ${answer.status}.`);
  return json;
}

function keep(session) {
  tokens.access = session.access_token;
  tokens.refresh = session.refresh_token;
  user = session.user;
}

function get(path) {
  return signedIn(path, {});
}

async function signedIn(path, options) {
  const ask = () => send(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${tokens.access}` } });
  let answer = await ask();
  if (answer.status === 401 && tokens.refresh) {
    try {
      keep(await post("/api/auth/refresh", { refresh_token: tokens.refresh }));
    } catch (e) {
      showSignIn();
      throw e;
    }
    answer = await ask();
  }
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error?.message ?? `The server answered ${answer.status}.`);
  return json;
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

function showSignIn() {
  tokens.access = tokens.refresh = user = null;
  $("rows").replaceChildren();
  $("home").hidden = $("device").hidden = $("sign-out").hidden = true;
  $("sign-in").hidden = false;
  $("email").focus();
}

function showHome() {
  $("who").textContent = `${user.name ?? user.email} · times in ${user.timezone}`;
  $("sign-in").hidden = true;
  $("sign-out").hidden = false;
  if (location.pathname === "/device") {
    $("device").hidden = false;
    $("code").value = new URLSearchParams(location.search).get("code") ?? "";
    $("code").focus();
    return;
  }
  $("home").hidden = false;
  load();
}

async function decideDevice(approve) {
  $("device-error").textContent = "";
  try {
    const body = { user_code: $("code").value };
    if (approve !== undefined) body.approve = approve;
    const found = await signedIn("/api/auth/device/approve", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const device = `“${found.device_name}” at ${found.address}`;
    const said = {
      waiting: `${device} waits to be signed in to your account. Is it yours?`,
      approved: `${device} is signed in. You can close this page.`,
      denied: `${device} was refused.`,
    };
    $("device-found").textContent = said[found.status];
    $("device-found").hidden = false;
    $("device-look").hidden = true;
    $("device-decide").hidden = found.status !== "waiting";
  } catch (e) {
    $("device-error").textContent = e.message;
  }
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
    keep(await post("/api/auth/login", { email: $("email").value, password: $("password").value }));
    $("sign-in").reset();
    showHome();
  } catch (e) {
    $("sign-in-error").textContent = e.message;
  } finally {
    button.disabled = false;
  }
});

$("sign-out").addEventListener("click", async () => {
  const access = tokens.access;
  showSignIn();
  await send("/api/auth/logout", { method: "POST", headers: { Authorization: `Bearer ${access}` } }).catch(() => {});
});

$("group").addEventListener("change", load);
$("reload").addEventListener("click", load);
setInterval(() => {
  if (user && !document.hidden && !$("home").hidden) load();
}, 60000);

showSignIn();
