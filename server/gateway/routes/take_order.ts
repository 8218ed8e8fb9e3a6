import type { GenerationRequest, RequestDefaults } from "../../../core/request/mod.ts";
import type { Screen } from "../../safety/mod.ts";
import type { CallPictures } from "../files/mod.ts";
import type { Jobs, Order, Room } from "../jobs/mod.ts";
import type { Keys } from "../keys/mod.ts";
import { type ApiKey, type GatewayStore, type Job, runsOf } from "../store/mod.ts";
import type { Bodies } from "./bodies.ts";

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
  readonly room: Room;
  readonly bodies: Bodies;
  readonly store: Pick<GatewayStore, "jobs" | "usage" | "secret" | "now">;
  readonly model: GatewayModel;
  /** What looks at a key's prompts and images. */
  readonly screen: (key: ApiKey) => Screen;
  /** What looks at the pictures that calls bring. */
  readonly pictures: Pick<CallPictures, "ask">;
}

/** What a call asks for. */
export interface CallOrder extends Order {
  /**
   * The order with its files, which is known once these were looked at: that takes long, and is done when the
   * key may ask. An order whose files come from callers must have it.
   * @throws AppError `invalid_request` for files of which nothing can be made.
   */
  readonly ready?: () => Promise<Pick<Order, "requests" | "inputs">>;
}

/**
 * Whether a key may have such images made; it then counts as a request of the key. What is bad, impossible
 * or not allowed is refused before it counts.
 * @returns sentences for the user.
 * @throws AppError `invalid_request`, `not_allowed`, `content_blocked`; RetryLater `rate_limited`.
 */
export async function checkOrder(
  { keys, model, screen, room }: Pick<GatewayParts, "keys" | "model" | "screen" | "room">,
  { owner, requests }: Pick<Order, "owner" | "requests">,
): Promise<readonly string[]> {
  keys.checkModel(owner, model.id);
  const notices = new Set<string>();
  for (const request of requests) {
    await model.check(request);
    for (const notice of screen(owner).request(request)) notices.add(notice);
  }
  room.check(owner, requests.length);
  keys.take(owner);
  return [...notices];
}

/**
 * Takes an order of a key that was admitted, whatever interface it came by. One that repeats another is that
 * one, and counts as nothing.
 * @throws as {@link checkOrder} and `Jobs.submit`.
 */
export async function takeOrder(parts: GatewayParts, order: CallOrder): Promise<Job> {
  const { owner, once } = order;
  const before = parts.jobs.earlier(owner.id, once);
  if (before) return before;
  const runs = (requests: readonly GenerationRequest[]) =>
    requests.flatMap((request) => runsOf(request, order.refinement));
  await checkOrder(parts, { owner, requests: runs(order.requests) });
  if (!order.ready) return await parts.jobs.submit(order);
  const ready = await order.ready();
  for (const run of runs(ready.requests)) await parts.model.check(run);
  return await parts.jobs.submit({ ...order, ...ready });
}
