// Prints what each address loads, out of Vite's manifest of dist/, and fails when one of them is over the budget of a first load.
import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
const BUDGET = 250_000;

const read = (name) => readFileSync(new URL(name, DIST));
const manifest = JSON.parse(read(".vite/manifest.json"));
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);

/** The files that a module needs before it runs: its own, its styles, and those of its imports. */
function filesOf(key, found = new Set()) {
  const { file, css = [], imports = [] } = manifest[key];
  if (found.has(file)) return found;
  for (const name of [file, ...css]) found.add(name);
  for (const other of imports) filesOf(other, found);
  return found;
}

/** Latin alone: the browser fetches other letters' files where a page has such letters. */
const isFirstFont = (name) => name.endsWith(".woff2") && !name.includes("latin-ext");
const fonts = readdirSync(new URL("assets/", DIST)).filter(isFirstFont).map((name) => `assets/${name}`);

const measured = new Map();
function sizeOf(name) {
  if (!measured.has(name)) {
    const bytes = read(name);
    const packed = !name.endsWith(".woff2");
    measured.set(name, {
      gzip: packed ? gzipSync(bytes, { level: 9 }).length : bytes.length,
      brotli: packed ? brotliCompressSync(bytes).length : bytes.length,
    });
  }
  return measured.get(name);
}

function total(names) {
  const sizes = [...names].map(sizeOf);
  return { gzip: sizes.reduce((sum, { gzip }) => sum + gzip, 0), brotli: sizes.reduce((sum, { brotli }) => sum + brotli, 0) };
}

const minus = (names, others) => [...names].filter((name) => !others.has(name));
const kB = (bytes) => (bytes / 1000).toFixed(1).padStart(8);
const row = (name, { gzip, brotli }) => process.stdout.write(`${name.padEnd(26)}${kB(gzip)}${kB(brotli)}\n`);

const shell = new Set(["index.html", "color-scheme.js", ...filesOf(entry)]);
const start = new Set([...shell, ...fonts]);

process.stdout.write(`${"kB".padEnd(26)}${"gzip".padStart(8)}${"brotli".padStart(8)}\n`);
row("shell", total(shell));
row("fonts", total(fonts));

// The addresses and their pages, as src/app/router.tsx has them.
const router = readFileSync(new URL("../src/app/router.tsx", import.meta.url), "utf8");
const paths = readFileSync(new URL("../src/app/paths.ts", import.meta.url), "utf8");
const addressOf = (name) => new RegExp(`\\b${name}: "([^"]+)"`).exec(paths)[1];
const pages = [...router.matchAll(/page\(paths\.(\w+), \(\) => import\("@\/(pages\/[^"]+)"\)\)/g)].map(
  ([, name, module]) => ({ address: addressOf(name), key: `src/${module}.tsx` }),
);

process.stdout.write("\nopened first, with shell and fonts\n");
const whole = pages.map(({ address, key }) => ({ address, ...total(new Set([...start, ...filesOf(key)])) }));
for (const page of whole) row(page.address, page);

process.stdout.write("\nloaded when a page needs it, beyond the shell\n");
const lazy = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry && !pages.some((page) => page.key === key));
for (const key of lazy.sort()) row(key.split("/").at(-1), total(minus(filesOf(key), start)));

const over = whole.filter(({ gzip }) => gzip > BUDGET);
for (const { address, gzip } of over) {
  process.stderr.write(`${address} loads ${gzip} bytes when it is opened first, over the budget of ${BUDGET}\n`);
}
if (whole.length === 0 || over.length > 0) process.exitCode = 1;
