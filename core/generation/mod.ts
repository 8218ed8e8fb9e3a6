/**
 * From a checked request to pictures: the engine's interface, the pipeline that implements it over
 * a loaded model, and recovery from a lost device.
 *
 * ```ts
 * import { Pipeline } from "./mod.ts";
 * import { decodeRequest } from "../request/mod.ts";
 * import { cpuRuntime } from "../../server/compute/mod.ts";
 * import { openModel } from "../../server/models/mod.ts";
 *
 * await using engine = await Pipeline.open(await openModel("embedded"), await cpuRuntime());
 * const request = decodeRequest(
 *   { prompt: "a red tau symbol", width: 64, height: 64, steps: 2 },
 *   { ...engine.defaults, seed: 7n },
 * );
 * const leaves: string[] = [];
 * const { images } = await engine.generate(request, {
 *   onLeaf: ({ kind, index }) => leaves.push(`${kind}.${index}`),
 * });
 * console.assert(images[0].width === 64);
 * console.assert(leaves.join(" ") === "x.0 d.0 x.1 d.1 x.2");
 * ```
 */
export type { GenerateOptions, Generation, ImageEngine, StepProgress } from "./engine.ts";
export { Pipeline } from "./pipeline.ts";
export { RecoveringEngine } from "./recovering_engine.ts";
export type { NetworkImages, SourceImages } from "./source.ts";
export {
  checkedSources,
  decodeSources,
  fittedSources,
  type InputDecoder,
  sizeOfSource,
  type SourceFile,
  type SourceFiles,
  type SourceShapes,
} from "./source_files.ts";
export { notifyOnce } from "./notify_once.ts";
