import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "vite";

/** Writes `/offline.js` of pages for people, with the names of the files that this build made. */
export function offlineWorker(): Plugin {
  return {
    name: "offline-worker",
    apply: "build",
    generateBundle: {
      order: "post",
      async handler(_, bundle) {
        if (!Object.hasOwn(bundle, "index.html")) return;
        const assets = Object.keys(bundle).filter((name) => name.startsWith("assets/")).sort();
        const source = await readFile(join(import.meta.dirname, "offline.js"), "utf8");
        this.emitFile({
          ...{ type: "asset", fileName: "offline.js" },
          source: `const ASSETS = ${JSON.stringify(assets)};\n${source}`,
        });
      },
    },
  };
}
