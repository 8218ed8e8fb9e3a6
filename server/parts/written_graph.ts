import type { ByteRange, GraphFiles, ModelFiles } from "../../core/model/mod.ts";
import { encodeOnnx, type OnnxGraph } from "../../core/onnx/mod.ts";

/**
 * A graph of ours as a runtime opens it: a file that is not on disk, beside the checkpoint that it
 * refers to. @param name of the file, for messages.
 */
export function writtenGraph(
  files: ModelFiles,
  name: string,
  graph: OnnxGraph,
): { readonly files: ModelFiles; readonly graph: GraphFiles } {
  const references = graph.references ?? [];
  const paths = [...new Set(references.map(({ location }) => location))];
  return {
    files: withFile(files, name, encodeOnnx(graph)),
    graph: {
      graph: name,
      external: paths.map((path) => ({ location: path, path, bytes: files.size(path) })),
      largestTensor: references.reduce((most, { length }) => Math.max(most, length), 0),
    },
  };
}

/** Without `localPath`, so that nobody opens the graph by its path. */
function withFile(
  files: ModelFiles,
  name: string,
  content: Uint8Array<ArrayBuffer>,
): ModelFiles {
  const isOurs = (path: string) => path === name;
  const slice = ({ start, end }: ByteRange) => content.slice(start, end);
  return {
    name: files.name,
    location: files.location,
    paths: [...files.paths, name],
    has: (path) => isOurs(path) || files.has(path),
    size: (path) => isOurs(path) ? content.length : files.size(path),
    text: async (path) => isOurs(path) ? new TextDecoder().decode(content) : await files.text(path),
    bytes: async (path, range) =>
      isOurs(path)
        ? slice(range ?? { start: 0, end: content.length })
        : await files.bytes(path, range),
  };
}
