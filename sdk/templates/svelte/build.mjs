// Makes dist/, which is what goes into the bundle. `--tests` makes build/ with the tests instead.
//
// Names carry no hash and nothing is minified: a new version travels as the difference to the one before, and the host
// names the line when something goes wrong.
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { relative } from "node:path";

import { build, transform } from "esbuild";
import { compile, compileModule } from "svelte/compiler";

/** esbuild has said what is wrong. */
const failed = () => process.exit(1);

/** Svelte's components, and modules with its runes. */
const svelte = {
  name: "svelte",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      return made(path, () => compile(source, { filename: relative(".", path), css: "injected" }));
    });
    onLoad({ filter: /\.svelte\.ts$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "ts", target: "esnext" });
      return made(path, () => compileModule(code, { filename: relative(".", path) }));
    });
  },
};

/** What Svelte made, or what it says of a file. */
function made(path, make) {
  const said = ({ message, start }) => {
    const location = { file: relative(".", path), line: start?.line, column: start?.column };
    return { text: message, location };
  };
  try {
    const { js, warnings } = make();
    return { contents: js.code, loader: "js", warnings: warnings.map(said) };
  } catch (error) {
    return { errors: [said(error)] };
  }
}

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
    bundle: true,
    plugins: [svelte],
    conditions: ["svelte", "production"],
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
