/**
 * Adapters: LoRA files in the names that trainers give them, as changes of a model's weights.
 *
 * ```ts
 * import { openModel } from "../../server/models/mod.ts";
 * import { adaptFiles } from "./mod.ts";
 *
 * const files = await openModel("embedded");
 * const refused = await adaptFiles(files, { files, sha256: "00".repeat(32) })
 *   .catch((error) => error.code);
 * console.assert(refused === "model_invalid"); // a whole model is no LoRA
 * ```
 */
export { type Adapter, adaptFiles } from "./adapted_files.ts";
