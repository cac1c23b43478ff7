// Builds the logic and puts it beside the page: one script of src/logic.ts and all that it imports, and the component of
// that script, with the engine that runs it. Nothing of a system is in it: no files, no clock, no network.
//
// package.json names preview2-shim because componentize-js uses it without naming it.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";

import { componentize, version } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

const FOLDER = "build/logic";
/** What joins the logic to the world of vendor/wit. */
const ENTRY = `
  import * as host from "moult:widget/host@0.2.0";
  import { exported } from "@moult/widget/logic";
  import logic from "./src/logic";
  export const { init, handle, snapshot, restore } = exported(host, logic);
`;

await mkdir(FOLDER, { recursive: true });
const before = await readFile(`${FOLDER}/built.js`, "utf8").catch(() => "");
await build({
  stdin: { contents: ENTRY, resolveDir: "." },
  outfile: `${FOLDER}/logic.js`,
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: `// For the engine of componentize-js ${version}.` },
  external: ["moult:*"],
  logLevel: "warning",
  // esbuild has said what is wrong.
}).catch(() => process.exit(1));
// No two components have the same bytes, and each takes seconds to build here and to compile at the user's. So as long as
// the script is the same, the component stays.
const script = await readFile(`${FOLDER}/logic.js`, "utf8");
if (script !== before) {
  try {
    const { component } = await componentize({
      sourcePath: `${FOLDER}/logic.js`,
      witPath: "vendor/wit/v0.2",
      worldName: "widget",
      disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
    });
    await writeFile(`${FOLDER}/logic.wasm`, component);
    await writeFile(`${FOLDER}/built.js`, script);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
await copyFile(`${FOLDER}/logic.wasm`, "dist/logic.wasm");
