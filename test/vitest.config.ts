import { defineConfig } from "vitest/config";
import { wgslText } from "../browser/wgsl_text.ts";

export default defineConfig({
  plugins: [wgslText()],
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
