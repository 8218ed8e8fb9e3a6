/**
 * Model files on disk: embedded models, folders, and a verified cache of what comes from a hub or a
 * web server.
 *
 * ```ts
 * import { knownEntry, openModel } from "./mod.ts";
 *
 * console.assert(knownEntry("embedded")?.id === "tau-tiny");
 *
 * const files = await openModel("embedded");
 * console.assert(files.has("unet/model.onnx"));
 * ```
 */
export {
  cachedCopies,
  type CachedCopy,
  ownCacheFolder,
  removeCached,
  verifyCached,
} from "./cached_copies.ts";
export { knownEntry, knownModels } from "./known_models.ts";
export { FolderFiles } from "./folder_files.ts";
export { openKnownModel } from "./open_known_model.ts";
export { inspectCheckpoint, inspectModel } from "./inspect_model.ts";
export { openLone, openModel } from "./open_model.ts";
export type { OpenModelOptions } from "./opening.ts";
