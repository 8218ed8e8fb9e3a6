import { decodeSources, fittedSources, type SourceImages } from "../../core/generation/mod.ts";
import type { ImageCodec } from "../../core/image/mod.ts";
import { type InputFiles, NO_INPUTS } from "../../core/protocol/mod.ts";
import { inputsOf, ofEachInput } from "../../core/request/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import type { MinerEvidence } from "./miner_evidence.ts";

/**
 * What a receipt's run started from: of the files that are here, and of the miner's where they are not.
 * @returns undefined for a run from noise.
 * @throws AppError `invalid_request` for files that are no images; as `inputOfMiner`.
 */
export async function scoredSources(
  { receipt, inputs = NO_INPUTS }: { readonly receipt: Receipt; readonly inputs?: InputFiles },
  { input }: Pick<MinerEvidence, "input">,
  codec: Pick<ImageCodec, "decodeInput">,
): Promise<SourceImages | undefined> {
  const { request } = receipt;
  const files = await ofEachInput(
    inputsOf(request),
    ({ sha256 }) => inputs.get(sha256) ?? input(sha256),
  );
  const decoded = await decodeSources(
    request,
    files,
    (file, what) => codec.decodeInput(file, what),
  );
  return fittedSources(decoded, request);
}
