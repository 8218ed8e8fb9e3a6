/**
 * Model files on disk: embedded models, folders, and a verified cache of what comes from a hub or a
 * web server.
 *
 * ```ts
 * import { knownModels, openModel } from "./mod.ts";
 *
 * console.assert(knownModels().models.some(({ id }) => id === "tau-tiny"));
 *
 * const files = await openModel("embedded");
 * console.assert(files.has("unet/model.onnx"));
 * ```
 */
export { type ModelFacts, modelFacts } from "./model_facts.ts";
export { knownModels, openModel, type OpenModelOptions } from "./open_model.ts";
