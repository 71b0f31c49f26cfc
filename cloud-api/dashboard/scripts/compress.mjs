// Compresses what a build made, once and as small as it gets: the server only chooses by Accept-Encoding.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
const TEXT = /\.(js|css|svg|txt)$/;
const LEAST_BYTES = 512;

const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });

for (const name of readdirSync(DIST, { recursive: true, encoding: "utf8" })) {
  // The shell gets a nonce with each answer, so it cannot be compressed ahead.
  if (!TEXT.test(name)) continue;
  const bytes = readFileSync(new URL(name, DIST));
  if (bytes.length < LEAST_BYTES) continue;
  writeFileSync(new URL(`${name}.gz`, DIST), gzipSync(bytes, { level: 9 }));
  writeFileSync(new URL(`${name}.br`, DIST), brotli(bytes));
}
