// Builds the logic and puts it beside the page. `moult widget check` and `pack` make the component of it.
import { execFileSync } from "node:child_process";
import { copyFile } from "node:fs/promises";

const TARGET = "wasm32-unknown-unknown";

try {
  execFileSync("cargo", ["build", "--release", "--quiet", "--target", TARGET, "--target-dir", "target"], {
    cwd: "logic",
    stdio: "inherit",
  });
} catch {
  console.error(`The logic was not built. Rust and its target are needed: rustup target add ${TARGET}`);
  process.exit(1);
}
await copyFile(`logic/target/${TARGET}/release/logic.wasm`, "dist/logic.wasm");
