import type { GraphFiles, ModelFiles } from "../../core/model/mod.ts";
import { encodeOnnx, type OnnxGraph } from "../../core/onnx/mod.ts";
import type { VirtualFile, VirtualFiles } from "./virtual_files.ts";
import { widenedWeights } from "./widened_weights.ts";

/**
 * A graph of ours as a runtime opens it: a file that is not on disk, beside the checkpoint that it
 * refers to. @param name of the file, for messages.
 */
export function writtenGraph(
  files: ModelFiles,
  name: string,
  written: OnnxGraph,
): { readonly files: ModelFiles; readonly graph: GraphFiles } {
  const { graph, widened } = widenedWeights(files, written);
  const references = graph.references ?? [];
  const opened = withFiles(files, new Map([...widened, [name, inMemory(encodeOnnx(graph))]]));
  const paths = [...new Set(references.map(({ location }) => location))];
  return {
    files: opened,
    graph: {
      graph: name,
      external: paths.map((path) => ({ location: path, path, bytes: opened.size(path) })),
      largestTensor: references.reduce((most, { length }) => Math.max(most, length), 0),
    },
  };
}

function inMemory(content: Uint8Array<ArrayBuffer>): VirtualFile {
  return {
    size: content.length,
    bytes: ({ start, end }) => Promise.resolve(content.slice(start, end)),
  };
}

/** Without `localPath`, so that nobody opens the graph by its path. */
function withFiles(files: ModelFiles, virtual: VirtualFiles): ModelFiles {
  const bytes: ModelFiles["bytes"] = async (path, range) => {
    const file = virtual.get(path);
    return file
      ? await file.bytes(range ?? { start: 0, end: file.size })
      : await files.bytes(path, range);
  };
  return {
    name: files.name,
    location: files.location,
    paths: [...files.paths, ...virtual.keys()],
    has: (path) => virtual.has(path) || files.has(path),
    size: (path) => virtual.get(path)?.size ?? files.size(path),
    text: async (path) => new TextDecoder().decode(await bytes(path)),
    bytes,
  };
}
