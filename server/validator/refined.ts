import { AppError } from "../../core/error.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import { withoutMetadata } from "../../core/image/mod.ts";
import type { InputFiles, Refinement } from "../../core/protocol/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { enlargedSize, lanczos } from "../../core/upscale/mod.ts";
import type { Gateway } from "../gateway/mod.ts";
import { sha256Of } from "../storage/mod.ts";
import type { Forwarded, Forwarder, Waiting } from "./forwarder.ts";

/** An image that was made of another, and that one. */
export interface Refined extends Forwarded {
  readonly parent: Forwarded;
}

/** What makes one. */
export interface RefiningParts {
  readonly forwarder: Pick<Forwarder, "generate">;
  /** Enlarges, in the line of this key. */
  readonly pictures: Gateway["parts"]["pictures"];
  readonly owner: string;
}

/** Of the first run: nothing is lost on its way to the second. */
const FORMAT = "png";

/**
 * Makes an image, enlarges it by Lanczos' kernel, and draws it anew. There are two receipts, of which the
 * second names the first as its parent.
 * @throws as `Forwarder.generate`; AppError `encoding_failed`.
 */
export async function refined(
  { request, format, inputs, refinement }: {
    readonly request: GenerationRequest;
    readonly format: ImageFormat;
    readonly inputs: InputFiles;
    readonly refinement: Refinement;
  },
  { forwarder, pictures, owner }: RefiningParts,
  { signal, onStep }: Waiting,
): Promise<Refined> {
  const next = refinedRequest(request, refinement);
  const parent = await forwarder.generate(request, FORMAT, { inputs, signal, onStep });
  const size = { width: next.width, height: next.height };
  const file = withoutMetadata(parent.image, FORMAT);
  const larger = await pictures.ask(owner, "enlarged", { file, size });
  const image = sha256Of(larger);
  const last = { ...next, image, parent: parent.answer.id, upscaler: lanczos.id };
  const steered = new Set(last.control.map((use) => use.image));
  const controls = [...inputs].filter(([sha256]) => steered.has(sha256));
  const made = await forwarder.generate(last, format, {
    ...{ inputs: new Map([...controls, [image, larger]]), signal, onStep },
  });
  return { ...made, parent };
}

/**
 * The second run, but for its image and its parent, which are not there yet.
 * @throws AppError `invalid_request` for a size that is not made, and for a mask, which is of the first image.
 */
export function refinedRequest(
  request: GenerationRequest,
  { upscale, refine }: Refinement,
): GenerationRequest {
  if (request.mask !== undefined) {
    throw new AppError(
      "invalid_request",
      "Cannot generate: upscale enlarges a whole image, and a mask is given; leave one out",
      { field: "upscale" },
    );
  }
  const size = enlargedSize(request, upscale);
  // Any hash: what can be made depends on whether there is one.
  return { ...request, ...size, strength: refine, image: "0".repeat(64) };
}
