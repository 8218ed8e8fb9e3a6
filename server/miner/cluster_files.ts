import { type InputFiles, NO_INPUTS } from "../../core/protocol/mod.ts";
import { decodeDraft, inputsOf } from "../../core/request/mod.ts";
import type { Blobs } from "../cluster/mod.ts";

/** The store of files that jobs start from. */
export const INPUTS = "job_files";

/** Puts a job's files where its worker finds them. */
export async function putInputs(files: Blobs, job: string, inputs: InputFiles): Promise<void> {
  for (const [sha256, bytes] of inputs) await files.put(nameOf(job, sha256), bytes);
}

/** The files that a job's request names, as far as they are there; none of a request that is none. */
export async function getInputs(files: Blobs, job: string, request: unknown): Promise<InputFiles> {
  return await filesNamed(files, job, namesIn(request));
}

/** As far as they are there. */
export async function filesNamed(
  files: Blobs,
  job: string,
  names: readonly string[],
): Promise<InputFiles> {
  if (names.length === 0) return NO_INPUTS;
  const found = await Promise.all(names.map(async (sha256) => {
    const bytes = await files.get(nameOf(job, sha256));
    return bytes ? [[sha256, Uint8Array.from(bytes)] as const] : [];
  }));
  return new Map(found.flat());
}

/** Nobody needs them any more. */
export async function removeInputs(files: Blobs, job: string, inputs: InputFiles): Promise<void> {
  await Promise.all(inputs.keys().map((sha256) => files.remove(nameOf(job, sha256))));
}

function namesIn(request: unknown): string[] {
  try {
    const draft = decodeDraft(Object(request), { seed: 0n });
    return [...new Set(inputsOf(draft).map(({ sha256 }) => sha256))];
  } catch {
    return [];
  }
}

/** Each job has its own: a file that is written twice could not be read meanwhile. */
function nameOf(job: string, sha256: string): string {
  return `${job}_${sha256}`;
}
