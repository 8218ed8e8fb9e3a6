/**
 * Prompts to what a network reads: keywords, tokens, and the text encoders' embeddings, computed
 * once an image.
 *
 * ```ts
 * import { PromptConditioner } from "./mod.ts";
 * import { loadModel } from "../inference/mod.ts";
 * import { decodeRequest } from "../request/mod.ts";
 * import { cpuRuntime } from "../../server/compute/mod.ts";
 * import { openModel } from "../../server/models/mod.ts";
 *
 * await using model = await loadModel(await openModel("embedded"), await cpuRuntime());
 * const conditioner = await PromptConditioner.load(model);
 * const defaults = { width: 64, height: 64, steps: 2, guidanceScale: 5, seed: 7n };
 * const { negative, notices } = await conditioner.condition(
 *   decodeRequest({ prompt: "a neon tao logo" }, defaults),
 * );
 * console.assert(negative !== undefined && notices.length === 0);
 * ```
 */
export { type Conditioning, PromptConditioner } from "./conditioning.ts";
export { type LoraTag, takeLoraTags } from "./lora_tags.ts";
export { loadTokenizer, type PromptTokenizer } from "./tokenizer.ts";
