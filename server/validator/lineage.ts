import { AppError } from "../../core/error.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import type { Ledger } from "./ledger/mod.ts";

type Continuing = Pick<GenerationRequest, "image" | "parent" | "upscaler">;

/**
 * What this validator knows of the parent that a request names. A miner cannot be blamed for it: who asks
 * says what the image goes on from.
 * @returns sentences for who asks: what was not compared.
 * @throws AppError `invalid_request` for a parent whose image is known here, and is not the request's.
 */
export function lineageOf(
  { image, parent, upscaler }: Continuing,
  { images }: Pick<Ledger, "images">,
): readonly string[] {
  if (parent === undefined) return [];
  const known = images.ofReceipt(parent);
  if (known === undefined) return [notCompared("this validator does not have that receipt")];
  if (upscaler !== undefined) {
    return [notCompared(`the image between is one that ${upscaler} made`)];
  }
  if (known === image) return [];
  throw new AppError(
    "invalid_request",
    `Cannot generate: parent is ${parent.slice(0, 12)}..., and image is not its image, which is ` +
      `${known.slice(0, 12)}...; give that file, without what is written beside its picture`,
    { field: "parent" },
  );
}

function notCompared(why: string): string {
  return `That the image goes on from its parent was not compared: ${why}.`;
}
