// The strictest rules of typescript-eslint, with types, for the widget's sources and tests.
import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/", "node_modules/", ".venv/", "bff/", "docs/", "templates/", ".demo/", ".build/"] },
  js.configs.recommended,
  {
    files: ["static/widget/**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "max-lines": ["error", 250],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ["static/widget/tests/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
  {
    files: ["static/{pages,demo,partner,studio}/*.js", "**/*.mjs", "*.config.js", "bench/**/*.{js,cjs}"],
    languageOptions: {
      globals: Object.fromEntries(
        [
          "addEventListener", "clearTimeout", "console", "CustomEvent", "document", "DOMParser", "Event", "FormData", "fetch", "getSelection",
          "history", "location", "MutationObserver", "navigator", "open", "performance", "PerformanceObserver", "process", "requestAnimationFrame", "Response", "setInterval", "setTimeout", "URL", "URLSearchParams", "window",
        ].map((name) => [name, "readonly"]),
      ),
    },
  },
  {
    // Host applications of the tests, as their frameworks' own documentation writes them.
    files: ["tests/browser/frameworks/apps/*.{js,jsx,mjs}"],
    languageOptions: {
      parserOptions: { ecmaFeatures: { jsx: true } },
      globals: { document: "readonly", fetch: "readonly", process: "readonly", console: "readonly", heard: "writable" },
    },
    rules: { "no-unused-vars": "off" },
  },
);
