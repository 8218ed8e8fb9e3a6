import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, reason } from "../../core/error.ts";

const BROWSER = fileURLToPath(new URL("../../browser/", import.meta.url));

/**
 * Builds the pages into a folder, which is emptied first.
 * @throws AppError `host_unavailable`.
 */
export async function buildSite(folder: string): Promise<void> {
  try {
    const { build } = await import("vite");
    await build({
      configFile: join(BROWSER, "vite.config.ts"),
      logLevel: "warn",
      build: {
        outDir: folder,
        emptyOutDir: true,
        rolldownOptions: { input: [join(BROWSER, "index.html"), join(BROWSER, "bench.html")] },
      },
    });
  } catch (cause) {
    throw new AppError("host_unavailable", `Cannot build the pages: ${reason(cause)}`, { cause });
  }
}
