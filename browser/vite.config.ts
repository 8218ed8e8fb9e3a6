import { defineConfig, type Plugin } from "vite";
import { offlineWorker } from "./offline_worker.ts";
import { wgslText } from "./wgsl_text.ts";

/**
 * onnxruntime-web stays as its package ships it, at `ort/` next to the pages: it finds its wasm next to itself, and
 * its threads load it by its own address.
 */
function servedOnnxruntime(): Plugin {
  return {
    name: "served-onnxruntime",
    enforce: "pre",
    resolveId: (source) => {
      const build = /^onnxruntime-web\/(webgpu|wasm)$/.exec(source)?.[1];
      return build ? { id: `/ort/ort.${build}.bundle.min.mjs`, external: "absolute" } : undefined;
    },
    // Chunks are in `assets/`, whatever the folder of the pages is called where they are served.
    renderChunk: (code) => ({ code: code.replace(/(["'`])\/ort\//g, "$1../ort/"), map: null }),
  };
}

const plugins = () => [servedOnnxruntime(), wgslText()];

export default defineConfig({
  root: import.meta.dirname,
  // Pages may be behind a prefix: they name what is theirs from where they are.
  base: "./",
  plugins: [...plugins(), offlineWorker()],
  worker: { format: "es", plugins },
  build: {
    target: "es2024",
    modulePreload: false,
    rolldownOptions: { input: [`${import.meta.dirname}/compute.html`] },
  },
});
