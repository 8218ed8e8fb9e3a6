/**
 * Image files that a generation starts from: read, decoded, named by their hashes and fitted to a
 * request's size.
 *
 * ```ts
 * import { readSources, sizeOfSource } from "./mod.ts";
 *
 * const none = await readSources({});
 * const asked = { width: undefined, height: undefined };
 * console.log(sizeOfSource(none, asked, { width: 256, height: 256 })); // {}: as without an image
 * ```
 */
export { readJsonFile, readReceipt } from "./receipt_file.ts";
export { fittedSources, readSources, sizeOfSource, type SourceFiles } from "./source_images.ts";
