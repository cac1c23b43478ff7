// One lint for the whole workspace. The walls between the parts of the frontend are rules here.
import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

const TAURI = {
  group: ["@tauri-apps/*"],
  message: "Only the stage speaks to the native side. Everything else goes over the message port.",
};

/** The rule that keeps a folder from what it must not know. */
function wall(...groups) {
  return { "@typescript-eslint/no-restricted-imports": ["error", { patterns: [TAURI, ...groups] }] };
}

export default ts.config(
  { ignores: ["**/dist/", "**/node_modules/", "target/", "crates/", "src-tauri/", "ui/src/host/bindings.ts"] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      eqeqeq: "error",
      "no-console": ["error", { allow: ["warn", "error"] }],
      "no-undef": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      ...wall(),
    },
  },
  {
    files: ["ui/src/**/*.ts"],
    ignores: ["**/*.svelte.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    extends: [...ts.configs.recommendedTypeCheckedOnly],
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ["ui/src/stage/**"],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["**/shell/*", "**/state/*", "**/components/*", "**/features/*", "**/views/*", "svelte"],
              message: "The stage is embedded in the application and knows nothing of the shell, which is a bundle.",
            },
          ],
        },
      ],
    },
  },
  {
    files: ["ui/src/{shell,state,components,features,views,host,texts}/**"],
    rules: wall({ group: ["**/stage/*"], message: "The shell knows the stage only through its messages." }),
  },
  {
    files: ["ui/src/components/**"],
    rules: wall({
      group: ["**/stage/*", "**/state/*", "**/features/*", "**/views/*", "**/host/*"],
      message: "A component knows no domain.",
    }),
  },
  {
    files: ["ui/src/state/**"],
    rules: {
      ...wall({
        group: ["**/stage/*", "**/components/*", "**/features/*", "**/views/*", "**/host/port*"],
        message: "State knows no screen and no port.",
      }),
      "no-restricted-globals": ["error", "document", "window", "localStorage", "navigator"],
    },
  },
  {
    files: ["**/*.config.{js,ts}", "eslint.config.js"],
    languageOptions: { globals: { ...globals.node } },
  },
);
