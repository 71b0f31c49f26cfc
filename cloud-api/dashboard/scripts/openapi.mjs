import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const SNAPSHOT = "../../src/openapi/snapshots/cloud_api__openapi__tests__the_document_is_what_it_was.snap";

/** The document as `cloud-api openapi` prints it, from the snapshot without its head. */
export function document() {
  const text = readFileSync(new URL(SNAPSHOT, import.meta.url), "utf8");
  return JSON.parse(text.slice(text.indexOf("\n---\n", 3) + 5));
}

export async function generate(openapi) {
  return `/* Made by \`npm run types\`. */\n${astToString(await openapiTS(openapi))}`;
}
