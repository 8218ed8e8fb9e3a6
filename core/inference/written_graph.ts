import type { GraphFiles, ModelFiles } from "../model/mod.ts";
import { encodeOnnx, type OnnxGraph, type WeightReference } from "../onnx/mod.ts";
import { type Pack, packWeights } from "./packed_weights.ts";

/** How a runtime takes weights. */
export interface WeightReading {
  /** As {@link Runtime.byPath}. */
  readonly byPath: boolean;
  /** float16 becomes float32 while it is read: the graph computes in it. */
  readonly widen: boolean;
}

/**
 * A graph of ours as a runtime opens it: a file that is not on disk, whose weights stay where they are
 * in the checkpoint if the runtime reads them there by itself, and else are read as few files.
 * @param name of the graph's file, for messages.
 */
export function writtenGraph(
  files: ModelFiles,
  name: string,
  graph: OnnxGraph,
  { byPath, widen }: WeightReading,
): { readonly files: ModelFiles; readonly graph: GraphFiles } {
  const references = graph.references ?? [];
  const inPlace = byPath ? localReferences(files, references) : [];
  const placed = new Set(inPlace.map(({ name }) => name));
  const packs = packWeights(files, references.filter((each) => !placed.has(each.name)), widen);
  const all = [...inPlace, ...packs.flatMap((pack) => pack.references)];
  const bytes = encodeOnnx({ ...graph, references: all });
  return {
    files: withPacks(files, name, bytes, packs),
    graph: {
      graph: name,
      external: packs.map((pack) => ({ location: pack.name, path: pack.name, bytes: pack.size })),
      largestTensor: all.reduce((most, { length }) => Math.max(most, length), 0),
    },
  };
}

/** The same places by their paths from the root, under which onnxruntime-node looks for them. */
function localReferences(
  files: ModelFiles,
  references: readonly WeightReference[],
): WeightReference[] {
  const stored = references.filter(({ type }) => type !== "bfloat16");
  return [...Map.groupBy(stored, ({ location }) => location)].flatMap(([location, own]) => {
    const path = files.localPath?.(location);
    return path?.startsWith("/") ? own.map((each) => ({ ...each, location: path.slice(1) })) : [];
  });
}

function withPacks(
  files: ModelFiles,
  name: string,
  graph: Uint8Array<ArrayBuffer>,
  packs: readonly Pack[],
): ModelFiles {
  const pack = (path: string) => packs.find((each) => each.name === path);
  return {
    name: files.name,
    location: files.location,
    paths: [name, ...packs.map((each) => each.name)],
    has: (path) => path === name || pack(path) !== undefined,
    size: (path) => path === name ? graph.length : pack(path)?.size ?? files.size(path),
    text: (path) => files.text(path),
    bytes: async (path, range) => {
      const whole = path === name ? graph : await pack(path)?.bytes();
      return whole
        ? range ? whole.slice(range.start, range.end) : whole
        : await files.bytes(path, range);
    },
  };
}
