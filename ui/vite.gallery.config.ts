// Serves two pages for development alone: the gallery (the shell on a fake host, in each of its states) and the preview
// (the real stage, shell and widgets, as built, with no native side).
import { createReadStream, existsSync } from "node:fs";
import { extname, join, normalize, resolve } from "node:path";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const FONT = resolve(here, "src/stage/public/fonts/inter-latin.woff2");
const TYPES: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
};

/** The folder of a built bundle, by the name in the address. More are looked for in MOULT_PREVIEW_BUNDLES. */
function folderOf(name: string): string {
  if (name === "shell") return resolve(here, "dist/shell");
  const more = process.env["MOULT_PREVIEW_BUNDLES"];
  const other = more && join(more, name);
  return other && existsSync(other) ? other : resolve(here, "../widgets", name, "dist");
}

/** Serves bundles at `/_load/NAME/` and the font, with the headers that the host gives them. */
function bundles(): Plugin {
  return {
    name: "moult-bundles",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = new URL(request.url ?? "/", "http://localhost").pathname;
        const [, name, rest] = /^\/_load\/([a-z-]+)\/(.*)$/.exec(path) ?? [];
        const file = path === "/_moult/inter-latin.woff2" ? FONT : name && join(folderOf(name), normalize(`/${rest}`));
        if (!file || !existsSync(file)) return next();
        const own = `http://${request.headers.host ?? ""}`;
        response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream");
        response.setHeader("access-control-allow-origin", "*");
        response.setHeader(
          "content-security-policy",
          `default-src 'none'; script-src ${own}; style-src ${own} 'unsafe-inline'; img-src ${own} data:; font-src ${own}`,
        );
        createReadStream(file).pipe(response);
      });
    },
  };
}

export default defineConfig({
  plugins: [svelte(), bundles()],
  publicDir: false,
  server: { host: "127.0.0.1", open: false },
});
