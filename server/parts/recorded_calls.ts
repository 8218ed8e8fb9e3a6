import { basename, dirname } from "node:path";
import { AppError } from "../../core/error.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { type IndexedTensor, readTensorIndex } from "../../core/safetensors/mod.ts";
import { openPartFolder } from "./part_folder.ts";

/** Numbers with a shape, rows last; whole numbers as floats too. */
export interface Recorded {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** One call of a part: what it was given, and what it gave. */
export interface RecordedCall {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Recorded>;
  readonly outputs: ReadonlyMap<string, Recorded>;
}

const FORM = /^(.+?)\/(in|out)\/(.+)$/;

/**
 * Reads the calls of a safetensors file: tensors `<call>/in/<name>` and `<call>/out/<name>`, F32 or
 * I64; others are left out.
 * @throws AppError `model_invalid` when there are none, or one is of another type.
 */
export async function readRecordedCalls(path: string): Promise<readonly RecordedCall[]> {
  const file = basename(path);
  const files = await openPartFolder(dirname(path), [file]);
  const calls = new Map<
    string,
    { inputs: Map<string, Recorded>; outputs: Map<string, Recorded> }
  >();
  for (const tensor of (await readTensorIndex(files, file)).values()) {
    const [, call, side, name] = FORM.exec(tensor.name) ?? [];
    if (!call) continue;
    const known = calls.get(call) ?? { inputs: new Map(), outputs: new Map() };
    calls.set(call, known);
    known[side === "in" ? "inputs" : "outputs"].set(name, await readTensor(files, tensor));
  }
  if (calls.size > 0) return [...calls].map(([name, call]) => ({ name, ...call }));
  throw new AppError("model_invalid", `Cannot run a part: ${path} has no tensor <call>/in/<name>`);
}

async function readTensor(files: ModelFiles, tensor: IndexedTensor): Promise<Recorded> {
  const { name, dtype, path, start, end, shape: dims } = tensor;
  const { buffer } = await files.bytes(path, { start, end });
  if (dtype === "F32") return { dims, values: new Float32Array(buffer) };
  if (dtype === "I64") {
    return { dims, values: Float32Array.from(new BigInt64Array(buffer), Number) };
  }
  throw new AppError("model_invalid", `Cannot run a part: ${name} is ${dtype}, not F32 or I64`);
}
