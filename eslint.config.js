import js from "@eslint/js";
import globals from "globals";

export default [
  {ignores: [".*/", "demo/benchmark/"]},
  js.configs.recommended,
  {
    files: ["demo/browser/**/*.js", "tests/**/*.js"],
    languageOptions: {globals: globals.browser},
    rules: {
      "consistent-return": "error",
      eqeqeq: "error",
      "max-lines-per-function": ["error", 50],
      "no-shadow": "error",
      "no-unused-vars": ["error", {argsIgnorePattern: "^_", varsIgnorePattern: "^_$"}],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
