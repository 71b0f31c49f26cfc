import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const imported = (file: string) =>
  [...readFileSync(file, "utf8").matchAll(/import \{([^}]*)\} from "@mantine\/core"/g)].flatMap(([, names]) =>
    names!.split(",").map((name) => name.trim()),
  );

it("has the styles of every component that a page uses", () => {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".tsx"));
  const sheet = readFileSync("src/app/mantine.css", "utf8");
  const used = new Set(sources.flatMap((file) => imported(`src/${file}`)));
  const styled = [...used].filter((name) => name && existsSync(`node_modules/@mantine/core/styles/${name}.css`));
  expect(styled.length).toBeGreaterThan(20);
  expect(styled.filter((name) => !sheet.includes(`/styles/${name}.css`))).toEqual([]);
});
