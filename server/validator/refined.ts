import type { ImageFormat } from "../../core/image/mod.ts";
import { withoutMetadata } from "../../core/image/mod.ts";
import type { InputFiles, ParentForUser, Refinement } from "../../core/protocol/mod.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { lanczos } from "../../core/upscale/mod.ts";
import { type Gateway, refinedRequest } from "../gateway/mod.ts";
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
  { signal, onStep, previews }: Waiting,
): Promise<Refined> {
  const next = refinedRequest(request, refinement);
  const parent = await forwarder.generate(request, FORMAT, { inputs, signal, onStep, previews });
  const size = { width: next.width, height: next.height };
  const file = withoutMetadata(parent.image, FORMAT);
  const larger = await pictures.ask(owner, "enlarged", { file, size });
  const image = sha256Of(larger);
  const last = { ...next, image, parent: parent.answer.id, upscaler: lanczos.id };
  const steered = new Set(last.control.map((use) => use.image));
  const controls = [...inputs].filter(([sha256]) => steered.has(sha256));
  const made = await forwarder.generate(last, format, {
    ...{ inputs: new Map([...controls, [image, larger]]), signal, onStep, previews },
  });
  return { ...made, parent };
}

/** An image; of a refined one with the one that it was made of. */
export type Drawn = Forwarded & Partial<Pick<Refined, "parent">>;

/** Makes an image, and refines it where that is asked for. @throws as {@link refined}. */
export async function drawn(
  { refinement, ...asked }: Omit<Parameters<typeof refined>[0], "refinement"> & {
    readonly refinement: Refinement | undefined;
  },
  parts: RefiningParts,
  waiting: Waiting,
): Promise<Drawn> {
  if (refinement) return await refined({ ...asked, refinement }, parts, waiting);
  const { request, format, inputs } = asked;
  return await parts.forwarder.generate(request, format, { ...waiting, inputs });
}

/** What it takes to check an image. */
export function evidenceOf({ peer, answer, verdict }: Forwarded): ParentForUser {
  const { id, receipt, token, witness = null } = answer;
  return { id, receipt, token, miner: peer, witness, verdict: verdict ?? null };
}
