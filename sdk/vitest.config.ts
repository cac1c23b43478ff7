// How the kit's tests run: in a simulated page, with real message channels.
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { environment: "happy-dom", include: ["tests/**/*.test.ts"] } });
