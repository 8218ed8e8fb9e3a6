import { z } from "zod";
import { readAtMost } from "../../core/bounded_body.ts";
import { AppError, reason } from "../../core/error.ts";

/** A service that keeps a CID on IPFS, by the IPFS Pinning Service API. */
export interface PinningService {
  /**
   * Asks for a pin, unless it is asked for or there already.
   * @returns whether it is pinned by now.
   * @throws AppError `storage_failed`.
   */
  pin(pin: { readonly cid: string; readonly name: string }): Promise<boolean>;
}

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 2 ** 20;

const statusSchema = z.looseObject({
  requestid: z.string().min(1).max(500),
  status: z.enum(["queued", "pinning", "pinned", "failed"]),
});
const resultsSchema = z.looseObject({ results: z.array(statusSchema).max(1000) });

/**
 * @param url of the service: what its documentation says comes before `/pins`.
 * @see https://ipfs.github.io/pinning-services-api-spec/
 */
export function pinningService(
  { url, token }: { readonly url: string; readonly token: string },
): PinningService {
  const address = `${url.replace(/\/*$/, "")}/pins`;
  const call = async <T>(query: string, init: RequestInit, schema: z.ZodType<T>): Promise<T> => {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const response = await fetch(`${address}${query}`, {
        ...init,
        ...{ headers, redirect: "error", signal },
      });
      const body = new TextDecoder().decode(await readAtMost(response, MAX_BYTES, signal));
      if (response.ok) return schema.parse(JSON.parse(body));
      throw new Error(`it answered ${response.status} ${reasonIn(body)}`.trim());
    } catch (cause) {
      const why = reason(cause);
      throw new AppError("storage_failed", `Cannot pin at ${address}: ${why}`, { cause });
    }
  };
  return {
    async pin({ cid, name }) {
      // Without a status it lists what is pinned alone.
      const query = new URLSearchParams({ cid, status: "queued,pinning,pinned", limit: "10" });
      const { results } = await call(`?${query}`, { method: "GET" }, resultsSchema);
      if (results.length > 0) return results.some(({ status }) => status === "pinned");
      const body = JSON.stringify({ cid, name });
      const { status } = await call("", { method: "POST", body }, statusSchema);
      return status === "pinned";
    },
  };
}

const errorSchema = z.looseObject({
  error: z.looseObject({ reason: z.string().max(1000), details: z.string().max(4000).optional() }),
});

/** A service's own words: `{"error": {"reason", "details"}}`. */
function reasonIn(body: string): string {
  try {
    const { error } = errorSchema.parse(JSON.parse(body));
    return [error.reason, error.details ?? ""].join(" ").trim();
  } catch {
    return "";
  }
}
