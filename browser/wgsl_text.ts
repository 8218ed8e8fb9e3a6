import type { Plugin } from "vite";

/** Vite's half of `import code from "./x.wgsl" with { type: "text" }`, which Deno does by itself. */
export function wgslText(): Plugin {
  return {
    name: "wgsl-text",
    transform: (code, id) =>
      id.endsWith(".wgsl") ? `export default ${JSON.stringify(code)};` : undefined,
  };
}
