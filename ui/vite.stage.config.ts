// Builds the stage: the one page that is embedded in the application.
import { defineConfig } from "vite";

export default defineConfig({
  root: "src/stage",
  base: "./",
  build: {
    outDir: "../../dist/stage",
    emptyOutDir: true,
    target: ["safari16", "chrome109"],
    modulePreload: false,
    rolldownOptions: {
      output: { entryFileNames: "stage.js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
