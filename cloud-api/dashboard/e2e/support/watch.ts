import type { BrowserContext } from "@playwright/test";

/** The browser's own note of an answer that was no success; the page deals with those. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4\d\d/;

export interface Watch {
  faults: string[];
  /** Takes it that connections fail, while a test has the server or the network down. */
  outage: boolean;
}

/** Notes what no page may do: break its policy, throw, complain, or ask anybody but its server. */
export async function watch(context: BrowserContext, origin: string): Promise<Watch> {
  const seen: Watch = { faults: [], outage: false };
  await context.exposeBinding("reportViolation", (_, text: string) => seen.faults.push(`policy: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
      const { reportViolation } = window as unknown as { reportViolation: (text: string) => void };
      reportViolation(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  context.on("weberror", (error) => seen.faults.push(`error: ${error.error().stack}`));
  context.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error" || REFUSED.test(text)) return;
    if (seen.outage && text.includes("net::ERR_")) return;
    seen.faults.push(`console: ${text}`);
  });
  context.on("request", (request) => {
    const url = request.url();
    if (new URL(url).origin !== origin && !url.startsWith(`blob:${origin}/`)) seen.faults.push(`request: ${url}`);
  });
  return seen;
}
