// Makes dist/, which is what goes into the bundle. `--tests` makes build/ with the tests instead.
//
// Names carry no hash and nothing is minified: a new version travels as the difference to the one before, and the host
// names the line when something goes wrong.
import { copyFile, mkdir, rm } from "node:fs/promises";

import { build } from "esbuild";

import bundler from "./bundler.mjs";

/** esbuild has said what is wrong. */
const failed = () => process.exit(1);

if (process.argv.includes("--tests")) {
  await rm("build", { recursive: true, force: true });
  await build({
    entryPoints: ["tests/*.test.ts"],
    outdir: "build",
    bundle: true,
    platform: "node",
    format: "esm",
    outExtension: { ".js": ".mjs" },
    logLevel: "warning",
  }).catch(failed);
} else {
  await rm("dist", { recursive: true, force: true });
  await mkdir("dist", { recursive: true });
  await build({
    entryPoints: [
      { in: "src/main.ts", out: "widget" },
      { in: "src/style.css", out: "widget" },
    ],
    outdir: "dist",
    ...bundler,
    bundle: true,
    format: "iife",
    target: ["es2022", "safari17"],
    charset: "utf8",
    legalComments: "none",
    // Served by the host beside each bundle.
    external: ["/_moult/*"],
    logLevel: "warning",
  }).catch(failed);
  for (const file of ["moult.json", "icon.svg"]) await copyFile(file, `dist/${file}`);
  await copyFile("src/index.html", "dist/index.html");
}
