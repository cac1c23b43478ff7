// Builds widgets: `node build.mjs FOLDER...` makes FOLDER/dist with moult.json, index.html, widget.js and widget.css.
// Imported, it only lends `buildWidget`.
//
// Names carry no hash and the code is not minified. A bundle travels as a delta and is compressed on the way: renamed
// files and identifiers would touch the whole file for a change of one line, and the stack traces that error reports
// carry stay readable.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folders = process.argv.slice(2);
  if (folders.length === 0) throw new Error("Name the folders to build: node build.mjs FOLDER...");
  for (const folder of folders) await buildWidget(resolve(folder));
}

/** Builds a widget's folder into `out`, with these members of its manifest and these options of the bundler changed. */
export async function buildWidget(folder, { out = join(folder, "dist"), manifest: changed = {}, ...options } = {}) {
  const manifest = { ...JSON.parse(await readFile(join(folder, "moult.json"), "utf8")), ...changed };
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await build({
    // Paths in the output are relative to the root, so the bytes do not depend on where the build was started.
    absWorkingDir: ROOT,
    entryPoints: [
      { in: join(folder, "src/main.ts"), out: "widget" },
      { in: join(folder, "src/style.css"), out: "widget" },
    ],
    outdir: out,
    bundle: true,
    format: "iife",
    target: ["es2022", "safari17"],
    charset: "utf8",
    legalComments: "none",
    // Served by the host beside each bundle.
    external: ["/_moult/*"],
    logLevel: "warning",
    ...options,
  });
  await writeFile(join(out, "moult.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(out, "index.html"), page(manifest));
}

/**
 * The entry page. All that is drawn is the script's; without inline script or style, as the host's policy demands.
 * `crossorigin`: to a frame of opaque origin its own script is a stranger's, and of a stranger's errors the browser
 * would tell nothing but "Script error.".
 */
function page({ name }) {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>${name}</title>
    <link rel="stylesheet" href="widget.css">
    <script src="widget.js" defer crossorigin></script>
  </head>
  <body></body>
</html>
`;
}
