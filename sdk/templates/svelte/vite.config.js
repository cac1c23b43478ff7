// Makes dist/, which is what goes into the bundle: a page, one classic script and one style sheet.
//
// Names carry no hash and nothing is minified: a new version travels as the difference to the one before, and the host
// names the line when something goes wrong.
import { readFileSync } from "node:fs";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** The files that are taken as they are. */
function asTheyAre(...files) {
  return {
    name: "as-they-are",
    generateBundle() {
      for (const file of files) this.emitFile({ type: "asset", fileName: file, source: readFileSync(file) });
    },
  };
}

/** The frame has an opaque origin, where a classic script says more of its errors than a module does. */
const classicScript = {
  name: "classic-script",
  enforce: "post",
  transformIndexHtml: (html) => html.replace('type="module" crossorigin', "defer crossorigin"),
};

export default defineConfig({
  root: "src",
  base: "./",
  plugins: [svelte({ configFile: false }), asTheyAre("moult.json", "icon.svg"), classicScript],
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: ["es2022", "safari17"],
    modulePreload: false,
    cssCodeSplit: false,
    minify: false,
    cssMinify: false,
    rolldownOptions: {
      output: {
        format: "iife",
        entryFileNames: "widget.js",
        assetFileNames: (asset) => (asset.names[0]?.endsWith(".css") ? "widget.css" : "[name][extname]"),
      },
    },
  },
});
