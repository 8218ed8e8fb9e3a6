import { z } from "zod";
import { AppError } from "../../../core/error.ts";
import { issueSentence } from "../../../core/json_decoding.ts";
import type { Job, Listing } from "../store/mod.ts";

const MAX_LIMIT = 100;
const listing = z.object({
  state: z.enum(["queued", "running", "done", "failed", "cancelled"]).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(20),
  before: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
});

/** @param query of an address. @throws AppError `invalid_request` naming the field. */
export function decodeListing(query: Readonly<Record<string, string>>): Listing {
  const result = listing.safeParse(query);
  if (result.success) return result.data;
  const why = issueSentence(result.error.issues[0], query);
  throw new AppError("invalid_request", `Cannot list the jobs: ${why}`);
}

/** `before` of the next page; null on the last. */
export function nextOf(jobs: readonly Job[], { limit }: Listing): number | null {
  return jobs.length === limit ? jobs[jobs.length - 1].number : null;
}
