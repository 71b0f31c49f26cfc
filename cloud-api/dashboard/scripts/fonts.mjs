// Writes the fonts of the first load: the letters that src/app/fonts.css names, the weights that the pages use.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import subset from "subset-font";

const APP = new URL("../src/app/", import.meta.url);
const MODULES = new URL("../node_modules/", import.meta.url);

const css = readFileSync(new URL("fonts.css", APP), "utf8");
const ranges = /unicode-range: ([^;]+);/.exec(css)[1].split(",").map((range) => range.trim().slice(2).split("-"));
const letters = ranges.flatMap(([first, last = first]) => {
  const from = parseInt(first, 16);
  return Array.from({ length: parseInt(last, 16) - from + 1 }, (_, n) => String.fromCodePoint(from + n));
});

const options = { targetFormat: "woff2", noHinting: true, keepFeatures: ["kern", "tnum", "cv05", "ss03"] };

async function write(name, source, more) {
  const bytes = readFileSync(new URL(source, MODULES));
  writeFileSync(new URL(`fonts/${name}.woff2`, APP), await subset(bytes, letters.join(""), { ...options, ...more }));
}

mkdirSync(new URL("fonts/", APP), { recursive: true });
await write("inter", "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", {
  variationAxes: { wght: { min: 400, max: 600 } },
});
await write("poppins", "@fontsource/poppins/files/poppins-latin-600-normal.woff2", {});
