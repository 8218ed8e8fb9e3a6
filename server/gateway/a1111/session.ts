import { AppError } from "../../../core/error.ts";
import { errorFacts, isErrorCode } from "../../../core/error_codes.ts";
import type { Job } from "../store/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { endOf, type GatewayParts, takeOrder } from "../routes/mod.ts";
import type { A1111Order } from "./order.ts";

/** Calls that are being answered: AUTOMATIC1111 has one at a time, and these each key its own. */
export class Sessions {
  readonly #parts: GatewayParts;
  readonly #jobs = new Map<string, string[]>();

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  /**
   * Has a call's images made, and waits for them.
   * @param signal ends them when nobody waits any more.
   * @returns the job as it ended, with fewer images where it was interrupted.
   * @throws AppError why no image was made; as `takeOrder` and `endOf`.
   */
  async make(owner: ApiKey, order: A1111Order, signal: AbortSignal): Promise<Job> {
    const { requests, inputs, ready } = order;
    const asked = { owner, requests, format: "png", inputs, ready } as const;
    const job = await takeOrder(this.#parts, asked);
    this.#jobs.set(owner.id, [...this.#of(owner), job.id]);
    try {
      const ended = await endOf(this.#parts, job, signal);
      if (ended.failure && !ended.images.some(({ state }) => state === "done")) {
        throw failureOf(ended.failure);
      }
      return ended;
    } finally {
      this.#jobs.set(owner.id, this.#of(owner).filter((id) => id !== job.id));
    }
  }

  /** The newest call of a key that is being answered. */
  current(owner: ApiKey): Job | undefined {
    const id = this.#of(owner).at(-1);
    return id === undefined ? undefined : this.#parts.jobs.get(owner.id, id);
  }

  /** Ends a key's calls: they answer with what they have. */
  interrupt(owner: ApiKey): void {
    for (const id of this.#of(owner)) this.#parts.jobs.cancel(owner.id, id);
  }

  #of({ id }: ApiKey): readonly string[] {
    return this.#jobs.get(id) ?? [];
  }
}

function failureOf(
  { code, message }: { readonly code: string; readonly message: string },
): AppError {
  const known = isErrorCode(code) && errorFacts(code).status !== 500 ? code : "no_miner";
  return new AppError(known, message);
}
