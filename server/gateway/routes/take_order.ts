import type { GenerationRequest, RequestDefaults } from "../../../core/request/mod.ts";
import type { Screen } from "../../safety/mod.ts";
import { checkRoom, type Jobs, type Order } from "../jobs/mod.ts";
import type { Keys } from "../keys/mod.ts";
import type { ApiKey, GatewayStore, Job } from "../store/mod.ts";

/** The model that is asked for, as far as it decides what can be asked. */
export interface GatewayModel {
  /** Its source, as receipts name it, and its `manifestHash`. */
  readonly id: string;
  readonly manifest: string;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** Throws for what the model cannot make. */
  readonly check: (request: GenerationRequest) => void | Promise<void>;
}

/** What every interface of the gateway is served with. */
export interface GatewayParts {
  readonly jobs: Jobs;
  readonly keys: Keys;
  readonly store: Pick<GatewayStore, "jobs" | "usage" | "secret" | "now">;
  readonly model: GatewayModel;
  /** What looks at a key's prompts and images. */
  readonly screen: (key: ApiKey) => Screen;
}

/**
 * Whether a key may have such images made; it then counts as a request of the key. What is bad, impossible
 * or not allowed is refused before it counts.
 * @returns sentences for the user.
 * @throws AppError `invalid_request`, `not_allowed`, `content_blocked`; RetryLater `rate_limited`.
 */
export async function checkOrder(
  { keys, model, screen, store }: Pick<GatewayParts, "keys" | "model" | "screen" | "store">,
  { owner, requests }: Pick<Order, "owner" | "requests">,
): Promise<readonly string[]> {
  keys.checkModel(owner, model.id);
  const notices = new Set<string>();
  for (const request of requests) {
    await model.check(request);
    for (const notice of screen(owner).request(request)) notices.add(notice);
  }
  checkRoom(owner, requests.length, store);
  keys.take(owner);
  return [...notices];
}

/**
 * Takes an order of a key that was admitted, whatever interface it came by.
 * @throws as {@link checkOrder} and `Jobs.submit`.
 */
export async function takeOrder(parts: GatewayParts, order: Order): Promise<Job> {
  await checkOrder(parts, order);
  return await parts.jobs.submit(order);
}
