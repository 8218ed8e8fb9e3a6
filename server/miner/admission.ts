import { AppError } from "../../core/error.ts";
import type { RateLimit, RequestGuard } from "../http/mod.ts";
import type { ImageSource } from "./image_source.ts";

const RECEIPT_ID = /^[0-9a-f]{64}$/;

/** Whether it is the id of a receipt; jobs have uuids. */
export function isReceiptId(id: string): boolean {
  return RECEIPT_ID.test(id);
}

/** What admission to a receipt's steps depends on. */
export interface Admission {
  readonly source: Pick<ImageSource, "opens" | "receipt">;
  /** SS58 of this miner, which may see everything here. */
  readonly self: string;
  readonly guard: RequestGuard;
  /** Throws for callers that may not ask. */
  readonly allowed: (signedBy: string) => void;
}

/**
 * Lets in any holder of the receipt's token, and the signed caller that asked for the image.
 * @returns the receipt's id.
 * @throws AppError `not_allowed`, `rate_limited`, `transcript_not_found`, or as the guard.
 */
export async function admit(
  { source, self, guard, allowed }: Admission,
  limit: RateLimit,
  request: Request,
  id: string,
): Promise<string> {
  if (!isReceiptId(id)) {
    throw new AppError("transcript_not_found", "Cannot open: it is no receipt's id");
  }
  const token = tokenOf(request);
  if (token !== undefined) {
    if (!await source.opens(token, id)) {
      throw new AppError("not_allowed", "Cannot open: the token is not this receipt's");
    }
    limit.take(id);
    return id;
  }
  const { signedBy } = await guard.take(request, 0, allowed);
  await checkAsker(source, id, signedBy, self);
  return id;
}

function tokenOf(request: Request): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return bearer ?? new URL(request.url).searchParams.get("token") ?? undefined;
}

/** @throws AppError `not_allowed` for a hotkey that did not ask for the image, nor made it. */
export async function checkAsker(
  source: Pick<ImageSource, "receipt">,
  id: string,
  signedBy: string,
  self: string,
): Promise<void> {
  const { validator } = await source.receipt(id);
  if (validator === signedBy || self === signedBy) return;
  throw new AppError("not_allowed", `Cannot open: ${signedBy} did not ask for this image`);
}
