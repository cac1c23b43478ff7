// Builds the logic and puts it beside the page: one script of src/logic.ts and all that it imports, and the component of
// that script, with the engine that runs it. Nothing of a system is in it: no files, no clock, no network.
import { mkdir, rm, writeFile } from "node:fs/promises";

import { componentize } from "@bytecodealliance/componentize-js";
import { build } from "esbuild";

/** What joins the logic to the world of vendor/wit. */
const ENTRY = `
  import * as host from "moult:widget/host@0.2.0";
  import { exported } from "@moult/widget/logic";
  import logic from "./src/logic";
  export const { init, handle, snapshot, restore } = exported(host, logic);
`;

await rm("build/logic", { recursive: true, force: true });
await mkdir("build/logic", { recursive: true });
await build({
  stdin: { contents: ENTRY, resolveDir: "." },
  outfile: "build/logic/logic.js",
  bundle: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  external: ["moult:*"],
  logLevel: "warning",
  // esbuild has said what is wrong.
}).catch(() => process.exit(1));
try {
  const { component } = await componentize({
    sourcePath: "build/logic/logic.js",
    witPath: "vendor/wit/v0.2",
    worldName: "widget",
    disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
  });
  await writeFile("dist/logic.wasm", component);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
