// What esbuild is told besides what build.mjs tells it: how a Svelte component becomes a script.
import { readFile } from "node:fs/promises";
import { relative } from "node:path";

import { transform } from "esbuild";
import { compile, compileModule } from "svelte/compiler";

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

export default { plugins: [svelte], conditions: ["svelte", "production"] };
