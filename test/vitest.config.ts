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
    // Real browsers and processes on two busy cores: in the gate what fails twice is broken. Anywhere
    // else each failure is seen at once.
    retry: Deno.env.get("CI") ? 1 : 0,
  },
});
