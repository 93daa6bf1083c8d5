import js from "@eslint/js";
import globals from "globals";

/** Usual rules, for code that runs in Node and in browsers. Run with `--config` in the bundle's folder. */
export default [
  { ignores: ["**/node_modules/", "**/dist/", "app/ort/", "app/precache.js"] },
  js.configs.recommended,
  {
    languageOptions: {
      globals: { ...globals["shared-node-browser"], ...globals.node },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  // A page, its worker and its service worker.
  {
    files: ["app/**/*.js"],
    languageOptions: {
      globals: { ...globals.browser, ...globals.serviceworker },
    },
  },
];
