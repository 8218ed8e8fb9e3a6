/**
 * The pages' server: `deno task build` and `deno task web`, and the files that miner and validator
 * serve under `/`.
 *
 * ```ts
 * import { SITE_FOLDER, siteFile } from "./mod.ts";
 *
 * const outside = new Request("http://127.0.0.1/../../etc/passwd", { method: "POST" });
 * console.assert(await siteFile(outside, SITE_FOLDER) === undefined);
 * ```
 */
export { buildCommand, webCommand } from "./command.ts";
export { buildSite } from "./build_site.ts";
export { sitePage } from "./first_build.ts";
export { SITE_FOLDER, siteFile } from "./site_files.ts";
