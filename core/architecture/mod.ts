/**
 * Networks of diffusers and transformers as graphs of our own: from a part's `config.json` and the
 * names of its tensors, whose bytes stay where they are in the checkpoint.
 *
 * ```ts
 * import { architectureOf } from "./mod.ts";
 *
 * console.assert(architectureOf({ _class_name: "AutoencoderKL" }) === "AutoencoderKL");
 * console.assert(architectureOf({ architectures: ["CLIPTextModel"] }) === "CLIPTextModel");
 * ```
 */
export { architectureOf, expectedTensors, partGraph, partGraphs } from "./architectures.ts";
export {
  ADAPTER_SCALES,
  type AdapterDelta,
  type ComputeType,
  type NetworkOptions,
  type WeightDeltas,
} from "./network.ts";
