import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

export default ts.config(
  { ignores: ["dist", "plain", "public", "node_modules", "src/api/schema.gen.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  hooks.configs.flat["recommended-latest"] ?? hooks.configs["recommended-latest"],
  a11y.flatConfigs.recommended,
  {
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-lines": ["error", 300],
      "no-console": "error",
      "@typescript-eslint/no-non-null-assertion": "off",
      "jsx-a11y/no-autofocus": "off",
      // Tables that become blocks on a phone keep their roles only where these are spelled out.
      "jsx-a11y/no-redundant-roles": ["error", { thead: ["rowgroup"], tbody: ["rowgroup"], tr: ["row"], table: ["table"] }],
      "jsx-a11y/no-interactive-element-to-noninteractive-role": ["error", { tr: ["row"], td: ["cell"], canvas: ["img"] }],
      "react-hooks/incompatible-library": "off",
    },
  },
  {
    files: ["e2e/**"],
    rules: {
      // Playwright wants the pattern, and its `use` is no hook.
      "no-empty-pattern": "off",
      "react-hooks/rules-of-hooks": "off",
    },
  },
  { files: ["scripts/**"], languageOptions: { globals: { URL: "readonly", process: "readonly" } } },
);
