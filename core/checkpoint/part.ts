import { named } from "../named.ts";
import type { IndexedTensor, TensorIndex } from "../safetensors/mod.ts";

/** A network as diffusers or transformers publish it, with its weights where they lie in the file. */
export interface CheckpointPart {
  /** What its `config.json` would be. */
  readonly config: Readonly<Record<string, unknown>>;
  /** By their names in diffusers or transformers; each a view of bytes of the file. */
  readonly tensors: TensorIndex;
}

/** Throws the caller's error. */
export type Refuse = (why: string) => never;

/** One tensor under one name, or several that are slices of it; none where it is not used. */
type Rename = (name: string, tensor: IndexedTensor) => readonly IndexedTensor[] | undefined;

/** @param rename undefined for a tensor that such a part does not have: these are refused by name. */
export function renamedTensors(tensors: TensorIndex, rename: Rename, refuse: Refuse): TensorIndex {
  const index = new Map<string, IndexedTensor>();
  const unknown: string[] = [];
  for (const [name, tensor] of tensors) {
    const renamed = rename(name, tensor);
    if (!renamed) unknown.push(tensor.name);
    for (const each of renamed ?? []) {
      if (index.has(each.name)) refuse(`${tensor.name} is ${each.name}, which it has already`);
      index.set(each.name, each);
    }
  }
  if (unknown.length > 0) refuse(`it has no place for ${named(unknown)}`);
  return index;
}

export function shapeOf(tensors: TensorIndex, name: string, refuse: Refuse): readonly number[] {
  return tensors.get(name)?.shape ?? refuse(`${name} is not among its tensors`);
}

/** How many numbered modules there are below a name: `input_blocks.` 0, 1, 2. */
export function countBelow(tensors: TensorIndex, prefix: string): number {
  const numbers = new Set<string>();
  for (const name of tensors.keys()) {
    if (name.startsWith(prefix)) numbers.add(name.slice(prefix.length).split(".", 1)[0]);
  }
  return numbers.size;
}
