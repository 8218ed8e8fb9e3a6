import { AppError } from "../../core/error.ts";
import {
  type ImageCodec,
  type ImageFormat,
  perceptualHash,
  withText,
} from "../../core/image/mod.ts";
import { infotextOf } from "../../core/infotext/mod.ts";
import { PATHS } from "../../core/protocol/mod.ts";
import { inputsOf } from "../../core/request/mod.ts";
import type { ContentCredentials } from "../credentials/mod.ts";
import { VERSION } from "../neuron/mod.ts";
import type { Forwarded, Forwarder } from "./forwarder.ts";
import type { Ledger } from "./ledger/mod.ts";

/** Images of which it is known where they came from. */
const KEPT = 50_000;

/** What images are marked with. */
interface ProvenanceParts {
  readonly ledger: Pick<Ledger, "images">;
  /** Decodes images, to see what they look like. */
  readonly codec: ImageCodec;
  /** Where users reach this validator; without it files name no address. */
  readonly url?: string;
  /** Signs files; without it they are not signed. */
  readonly credentials?: Pick<ContentCredentials, "sign">;
}

/**
 * A forwarder whose images say where they came from: beside the picture how it was made and by which
 * receipt, and in the ledger what it looks like, so that the receipt of a copy is found. What the receipt
 * commits to is the file without it.
 */
export function saysWhereFrom(
  forwarder: Pick<Forwarder, "generate">,
  parts: ProvenanceParts,
): Pick<Forwarder, "generate"> {
  return {
    generate: async (request, format, waiting) => {
      const forwarded = await forwarder.generate(request, format, waiting);
      const { width, height } = request;
      const pixels = await parts.codec.decode(forwarded.image, format, { width, height });
      const looks = perceptualHash(pixels);
      const image = await marked(forwarded, format, parts);
      return { ...forwarded, image, shown: () => remember(forwarded, looks, parts) };
    },
  };
}

function remember(
  { peer, answer: { id, receipt, token, witness } }: Forwarded,
  looks: string,
  { ledger }: ProvenanceParts,
): void {
  const entry = { id, receipt, token, miner: peer.url, witness: witness ?? null };
  ledger.images.add({ sha256: receipt.image.sha256, looks, entry }, KEPT);
}

async function marked(
  { image, answer: { id, receipt } }: Forwarded,
  format: ImageFormat,
  { url, credentials }: ProvenanceParts,
): Promise<Uint8Array<ArrayBuffer>> {
  const address = url === undefined
    ? undefined
    : `${url.replace(/\/+$/, "")}${PATHS.receipts}?image=${receipt.image.sha256}`;
  const file = withText(image, format, infotextOf(receipt, `Stepwise ${VERSION}`, address));
  const { root, miner } = receipt;
  return await credentials?.sign(file, format, { receipt: id, root, miner, address }) ?? file;
}

/**
 * Receipts of an image that somebody has.
 * @throws AppError `invalid_request` for what is no hash.
 */
export function receiptsOf(
  { images }: Pick<Ledger, "images">,
  { image, looks }: { readonly image?: string; readonly looks?: string },
): unknown[] {
  const found = image === undefined
    ? images.alike(hashIn("looks", looks, "a perceptual hash"))
    : images.ofFile(hashIn("image", image, "the SHA-256 of a file without its metadata"));
  return found.map(publicEntry);
}

/** The token would give everybody the files that the user sent. */
function publicEntry(entry: unknown): unknown {
  const { token, ...rest } = Object(entry);
  const named = inputsOf(rest.receipt.request);
  return named.length > 0 ? rest : { ...rest, token };
}

function hashIn(field: string, value: string | undefined, what: string): string {
  if (value !== undefined && /^[0-9a-f]{64}$/.test(value)) return value;
  throw new AppError(
    "invalid_request",
    `Cannot find receipts: ${field} is ${JSON.stringify(value)}, not ${what}, 64 hex digits`,
    { field },
  );
}
