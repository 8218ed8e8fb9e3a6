/**
 * Image files that a generation starts from, named by paths of this machine.
 *
 * ```ts
 * import { readSources, sizeOfSource } from "./mod.ts";
 *
 * const none = await readSources({});
 * const asked = { width: undefined, height: undefined };
 * console.log(sizeOfSource(none, asked, { width: 256, height: 256 })); // {}: as without an image
 * ```
 */
export { fittedSources, sizeOfSource, type SourceFiles } from "../../core/generation/mod.ts";
export { readJsonFile, readReceipt } from "./receipt_file.ts";
export { readSources } from "./source_images.ts";
