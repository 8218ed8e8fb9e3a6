import type { ModelFiles } from "./model_files.ts";

/** What is seen otherwise of a model's files; what is left out stays as it is. */
interface View
  extends Pick<ModelFiles, "tensors" | "notices" | "derived" | "adapters" | "controls"> {
  /** Files that are written here, by path. */
  readonly written?: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Other files, under a path of their own. */
  readonly mounted?: { readonly at: string; readonly files: ModelFiles };
  /** Files that are left out. */
  readonly hides?: (path: string) => boolean;
}

/** A model's files, with some added and some left out. */
export function viewOf(files: ModelFiles, view: View): ModelFiles {
  const { written = new Map<string, Uint8Array<ArrayBuffer>>(), mounted, hides, ...facts } = view;
  const { name, location, variant, tensors, notices, derived, adapters, controls } = files;
  /** Whose file it is, and its path there. */
  const place = (path: string): readonly [ModelFiles, string] =>
    mounted && path.startsWith(mounted.at)
      ? [mounted.files, path.slice(mounted.at.length)]
      : [files, path];
  const kept = files.paths.filter((path) => !written.has(path) && !hides?.(path));
  const more = mounted?.files.paths.map((path) => mounted.at + path) ?? [];
  const paths = [...kept, ...written.keys(), ...more].sort();
  const bytes: ModelFiles["bytes"] = async (path, range) => {
    const own = written.get(path);
    if (own) return range ? own.slice(range.start, range.end) : own;
    const [from, inner] = place(path);
    return await from.bytes(inner, range);
  };
  return {
    ...{ name, location, variant, tensors, notices, derived, adapters, controls },
    ...facts,
    paths,
    has: (path) => paths.includes(path),
    size: (path) => {
      const [from, inner] = place(path);
      return written.get(path)?.length ?? from.size(inner);
    },
    text: async (path) => new TextDecoder().decode(await bytes(path)),
    bytes,
    localPath: (path) => {
      if (written.has(path)) return undefined;
      const [from, inner] = place(path);
      return from.localPath?.(inner);
    },
  };
}
