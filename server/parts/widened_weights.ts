import type { ModelFiles } from "../../core/model/mod.ts";
import type { OnnxGraph } from "../../core/onnx/mod.ts";
import type { VirtualFile, VirtualFiles } from "./virtual_files.ts";

type Reference = NonNullable<OnnxGraph["references"]>[number];

/**
 * The graph with bfloat16 weights as float32, in files that are widened while they are read: few
 * builds of onnxruntime compute anything in bfloat16, not even its conversion.
 */
export function widenedWeights(
  files: ModelFiles,
  graph: OnnxGraph,
): { readonly graph: OnnxGraph; readonly widened: VirtualFiles } {
  const narrow = new Map<string, Reference[]>();
  const references = (graph.references ?? []).map((reference): Reference => {
    if (reference.type !== "bfloat16") return reference;
    const before = narrow.get(reference.location) ?? [];
    narrow.set(reference.location, [...before, reference]);
    return {
      ...reference,
      type: "float32",
      location: widenedPath(reference.location),
      offset: 2 * totalBytes(before),
      length: 2 * reference.length,
    };
  });
  const widened = [...narrow].map(([path, tensors]) =>
    [widenedPath(path), widenedFile(files, tensors)] as const
  );
  return { graph: { ...graph, references }, widened: new Map(widened) };
}

function widenedPath(path: string): string {
  return `${path}.float32`;
}

function totalBytes(references: readonly Reference[]): number {
  return references.reduce((sum, { length }) => sum + length, 0);
}

/** The tensors one after the other. */
function widenedFile(files: ModelFiles, tensors: readonly Reference[]): VirtualFile {
  const size = 2 * totalBytes(tensors);
  return {
    size,
    bytes: async ({ start, end }) => {
      const words = new Uint32Array(size / 4);
      let at = 0;
      for (const { location, offset, length } of tensors) {
        const bytes = await files.bytes(location, { start: offset, end: offset + length });
        // bfloat16 is the upper half of a float32.
        words.set(Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16), at);
        at += length / 2;
      }
      return new Uint8Array(words.buffer).slice(start, end);
    },
  };
}
