import { decodeSources, type SourceShapes } from "../../../core/generation/mod.ts";
import type { inputsOf } from "../../../core/request/mod.ts";
import type { CallPictures } from "./call_pictures.ts";

/**
 * The sizes of the files that a request names, each decoded once elsewhere.
 * @param owner whose call it is.
 * @throws AppError `invalid_request` as `decodeSources`.
 */
export async function shapesOf(
  owner: string,
  request: Parameters<typeof inputsOf>[0],
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  pictures: Pick<CallPictures, "ask">,
): Promise<SourceShapes> {
  return await decodeSources(request, files, async (file, what) => ({
    ...await pictures.ask(owner, "size", { file, what }),
    // Nobody looks at the pixels themselves.
    data: new Uint8ClampedArray(),
  }));
}
