import { AppError } from "../../core/error.ts";
import { MAX_CLOCK_LEAD, MAX_REQUEST_AGE, type SignedHeaders } from "../../core/protocol/mod.ts";
import type { Cluster, Once } from "../cluster/mod.ts";
import type { UsedRequests } from "../http/mod.ts";

/** Requests that were used, for all axons of a cluster: none is taken twice, by whichever. */
export class ClusterReplay implements UsedRequests {
  readonly #used: Once;

  private constructor(used: Once) {
    this.#used = used;
  }

  static async open(cluster: Cluster): Promise<ClusterReplay> {
    const seconds = (MAX_REQUEST_AGE + MAX_CLOCK_LEAD) / 1000;
    return new ClusterReplay(await cluster.once("requests", Math.ceil(seconds)));
  }

  async use({ signedBy, uuid }: SignedHeaders): Promise<void> {
    // A uuid may be any text of a caller.
    const key = new TextEncoder().encode(`${signedBy} ${uuid}`).toBase64({ alphabet: "base64url" });
    // One of its own, by which a claim whose answer was lost is known again.
    if (await this.#used.claim(key, crypto.randomUUID())) return;
    throw new AppError(
      "request_replayed",
      `Cannot take the request: its uuid ${uuid} was used before`,
    );
  }
}
