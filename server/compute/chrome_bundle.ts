import { fileURLToPath } from "node:url";
import { AppError, reason } from "../../core/error.ts";

/** Built files by their path in the address. */
export type Bundle = ReadonlyMap<string, string | Uint8Array<ArrayBuffer>>;

/** The pages that a driven Chrome loads. */
export type DrivenPage = "compute.html" | "bench.html";

/** A page and its worker, built from their sources in memory: about half a second. */
export async function bundlePage(page: DrivenPage): Promise<Bundle> {
  const source = (name: string) => fileURLToPath(new URL(`../../browser/${name}`, import.meta.url));
  try {
    const { build } = await import("vite");
    const result = await build({
      configFile: source("vite.config.ts"),
      logLevel: "silent",
      build: { write: false, rolldownOptions: { input: [source(page)] } },
    });
    const [built] = [result].flat();
    if (!("output" in built)) throw new Error("vite gave a watcher");
    return new Map(built.output.map((file) => [
      `/${file.fileName}`,
      file.type === "chunk" ? file.code : ownBytes(file.source),
    ]));
  } catch (cause) {
    const message = `Cannot build ${page}: ${reason(cause)}`;
    throw new AppError("host_unavailable", message, { cause });
  }
}

function ownBytes(source: string | Uint8Array): string | Uint8Array<ArrayBuffer> {
  return typeof source === "string" ? source : new Uint8Array(source);
}
