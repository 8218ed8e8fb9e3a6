import { decodeSources, fittedSources, type SourceImages } from "../../../core/generation/mod.ts";
import { AppError } from "../../../core/error.ts";
import { inputOfMiner, minerAddress } from "../../../core/protocol/mod.ts";
import { inputsOf, ofEachInput, type RequestInput } from "../../../core/request/mod.ts";
import { receiptId } from "../../../core/transcript/mod.ts";
import { neededInputs, type Verification } from "../../../core/verifier/mod.ts";
import type { CheckOrder } from "../api/mod.ts";
import { digest } from "./file_hash.ts";

const FETCH_MS = 30_000;

type Files = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/**
 * What a receipt's run was made from: of files that are here, or else of those that its miner gives, which
 * is asked once a level needs them. Without a miner a source that is missing is not compared.
 * @param onSources called with what is found.
 * @throws AppError `invalid_request` from level 2 on, where the network read an image that is not here
 * and there is no miner to ask.
 */
export async function inputsOfReceipt(
  order: CheckOrder,
  onSources: (sources: SourceImages) => Promise<void>,
): Promise<Verification["sources"]> {
  const { receipt: { request }, level, link } = order;
  const here = await filesHere(order);
  const missing = neededInputs(request, level).filter(({ sha256 }) => !here.has(sha256));
  const take = async (files: Files) => {
    const sources = await sourcesOf(request, files);
    if (sources) await onSources(sources);
    return sources;
  };
  if (missing.length > 0 && link) {
    return async () => await take(new Map([...here, ...await fetched(order, link, missing)]));
  }
  const control = missing.find(({ field }) => field === "control");
  if (!control) return await take(here);
  throw new AppError(
    "invalid_request",
    `Cannot run the network: it drew along the image ${
      control.sha256.slice(0, 12)
    }..., which is not ` +
      "here; drop its file",
  );
}

/** A file under another's hash is not taken for it. */
async function filesHere(
  { receipt: { request }, inputs = {} }: CheckOrder,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { sha256 } of inputsOf(request)) {
    const bytes = inputs[sha256] && new Uint8Array(await inputs[sha256].arrayBuffer());
    if (bytes && await digest(bytes) === sha256) files.set(sha256, bytes);
  }
  return files;
}

/** @throws AppError `opening_withheld`, `opening_invalid`. */
function fetched(
  { receipt }: CheckOrder,
  { miner, token }: NonNullable<CheckOrder["link"]>,
  missing: readonly RequestInput[],
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const address = minerAddress(miner, FETCH_MS, token);
  return ofEachInput(
    missing,
    ({ sha256 }) => inputOfMiner(address, receiptId(receipt), sha256),
  );
}

/** As far as its files are there: a mask alone says nothing, and of several edges none may be missing. */
async function sourcesOf(
  request: CheckOrder["receipt"]["request"],
  files: Files,
): Promise<SourceImages | undefined> {
  const has = (sha256: string | undefined) => sha256 === undefined || files.has(sha256);
  const { image, mask, control = [] } = request;
  const whole = has(image) && has(mask) ? { image, mask } : {};
  const there = { ...whole, control: control.every((use) => has(use.image)) ? control : [] };
  const used = new Set(inputsOf(there).map(({ sha256 }) => sha256));
  const given = new Map([...files].filter(([sha256]) => used.has(sha256)));
  return fittedSources(await decodeSources(there, given), request);
}
