// Builds the shell: a bundle like any other, with fixed file names, so that a patch between two versions stays small.
// MOULT_SHELL_VERSION sets its version, MOULT_SHELL_OUT its folder.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const own = JSON.parse(readFileSync(resolve(import.meta.dirname, "package.json"), "utf8")) as { version: string };
const version = process.env["MOULT_SHELL_VERSION"] || own.version;
const folder = process.env["MOULT_SHELL_OUT"] || resolve(import.meta.dirname, "dist/shell");

/** Writes the bundle's manifest beside the page. */
function manifest(): Plugin {
  const source = {
    kind: "shell",
    id: "shell",
    version,
    name: "Shell",
    description: "The board, its updates and its settings.",
    entry: { ui: "index.html" },
    host_api: { min: 1, max: 1 },
  };
  return {
    name: "moult-manifest",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "moult.json", source: `${JSON.stringify(source, null, 2)}\n` });
    },
  };
}

/** Makes the script a classic one. The frame's origin is opaque, and a module would need leave to be read across origins. */
function classicScript(): Plugin {
  return {
    name: "moult-classic-script",
    enforce: "post",
    transformIndexHtml: (html) => html.replace('type="module" crossorigin', "defer").replaceAll(" crossorigin", ""),
  };
}

export default defineConfig({
  root: "src/shell",
  base: "./",
  plugins: [svelte(), manifest(), classicScript()],
  build: {
    outDir: resolve(folder),
    emptyOutDir: true,
    target: ["safari16", "chrome109"],
    modulePreload: false,
    cssCodeSplit: false,
    // A bundle travels as a delta: short names that change with every build would cost more than they spare.
    minify: false,
    cssMinify: false,
    rolldownOptions: {
      output: {
        format: "iife",
        entryFileNames: "shell.js",
        chunkFileNames: "[name].js",
        assetFileNames: (asset) => (asset.names[0]?.endsWith(".css") ? "shell.css" : "[name][extname]"),
      },
    },
  },
});
