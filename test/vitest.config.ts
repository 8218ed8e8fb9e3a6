import { defineConfig, type Plugin } from "vitest/config";

/** Vite's half of `import code from "./x.wgsl" with { type: "text" }`, which Deno does by itself. */
const wgslText: Plugin = {
  name: "wgsl-text",
  transform: (code, id) =>
    id.endsWith(".wgsl") ? `export default ${JSON.stringify(code)};` : undefined,
};

export default defineConfig({
  plugins: [wgslText],
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
