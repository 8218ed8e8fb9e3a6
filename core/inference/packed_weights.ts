import type { ByteRange, ModelFiles } from "../model/mod.ts";
import { fromBfloat16, fromHalf } from "../half.ts";
import type { StoredType, WeightReference } from "../onnx/mod.ts";

/** A file that is not on disk: weights one after the other, read and widened when they are wanted. */
export interface Pack {
  /** Its path, which the graph refers to. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** What the graph refers to in place of the checkpoint's own. */
  readonly references: readonly WeightReference[];
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** A weight and where it comes from. */
interface Packed {
  readonly from: WeightReference;
  readonly to: WeightReference;
}

/** So that no browser is asked for a buffer, nor onnxruntime-web for an offset, that it cannot give. */
const PACK_BYTES = 2 ** 30;

/**
 * Weights as few files. bfloat16 becomes float32: few builds of onnxruntime compute anything in it, not
 * even its conversion.
 * @param widen float16 becomes float32 as well.
 */
export function packWeights(
  files: ModelFiles,
  references: readonly WeightReference[],
  widen: boolean,
): readonly Pack[] {
  const packs: Packed[][] = [];
  let size = Infinity;
  for (const from of references.toSorted(byPlace)) {
    const widened = from.type === "bfloat16" || (widen && from.type === "float16");
    const length = widened ? 2 * from.length : from.length;
    if (size + length > PACK_BYTES) {
      packs.push([]);
      size = 0;
    }
    const type = widened ? "float32" : from.type;
    const place = { location: `weights.${packs.length - 1}`, offset: size, length };
    packs.at(-1)?.push({ from, to: { ...from, type, ...place } });
    size += length;
  }
  return packs.map((packed, i) => packOf(files, `weights.${i}`, packed));
}

function byPlace(a: WeightReference, b: WeightReference): number {
  if (a.location !== b.location) return a.location < b.location ? -1 : 1;
  return a.offset - b.offset;
}

function packOf(files: ModelFiles, name: string, packed: readonly Packed[]): Pack {
  const size = packed.reduce((sum, { to }) => sum + to.length, 0);
  return {
    name,
    size,
    references: packed.map(({ to }) => to),
    bytes: async () => {
      const bytes = new Uint8Array(size);
      for (const run of runsOf(packed)) await readRun(files, run, bytes);
      return bytes;
    },
  };
}

/** Neighbours in the checkpoint, which one read brings. */
function runsOf(packed: readonly Packed[]): Packed[][] {
  const runs: Packed[][] = [];
  for (const each of packed) {
    const before = runs.at(-1)?.at(-1)?.from;
    const { from } = each;
    const next = before?.location === from.location &&
      before.offset + before.length === from.offset && before.type === from.type;
    if (next) runs.at(-1)?.push(each);
    else runs.push([each]);
  }
  return runs;
}

async function readRun(files: ModelFiles, run: readonly Packed[], into: Uint8Array): Promise<void> {
  const [{ from: first, to }] = run;
  const last = run[run.length - 1].from;
  const range: ByteRange = { start: first.offset, end: last.offset + last.length };
  const bytes = await files.bytes(first.location, range);
  into.set(first.type === to.type ? bytes : widened(first.type, bytes), to.offset);
}

function widened(type: StoredType, bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  // A copy, since a range may begin at an odd byte of its buffer.
  const bits = new Uint16Array(bytes.slice().buffer);
  const values = type === "bfloat16" ? fromBfloat16(bits) : fromHalf(bits);
  return new Uint8Array(values.buffer);
}
