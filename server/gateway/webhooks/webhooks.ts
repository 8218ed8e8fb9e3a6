import { reason } from "../../../core/error.ts";
import type { Log } from "../../telemetry/mod.ts";
import type { GatewayStore, Job } from "../store/mod.ts";
import { type Post, postOnce, type Resolve } from "./post.ts";
import { signatureHeaders, webhookSecret } from "./signature.ts";

export interface WebhookOptions {
  /** Whether addresses count that only your own network routes to. */
  readonly allowPrivate: boolean;
  /** Milliseconds that a receiver has. */
  readonly timeoutMs: number;
  /** Milliseconds from one try to the next; after the last it is given up. */
  readonly waitsMs: readonly number[];
}

const MINUTE_MS = 60_000;

export const DEFAULT_WEBHOOKS: WebhookOptions = {
  allowPrivate: false,
  timeoutMs: 10_000,
  waitsMs: [0.1, 0.5, 2, 10, 30, 60, 180, 360, 720].map((minutes) => minutes * MINUTE_MS),
};

interface WebhooksParts {
  readonly store: Pick<GatewayStore, "webhooks" | "jobs" | "secret" | "now">;
  /** What is told of a job. */
  readonly shown: (job: Job) => unknown;
  readonly options: WebhookOptions;
  readonly resolve?: Resolve;
  readonly log: Log;
}

/** Reports that are under way at the same time, of one key, and in all. */
const OF_ONE_KEY = 4;
const AT_ONCE = 64;
/** Milliseconds after which the next are looked for. */
const LOOK_MS = 60_000;

/**
 * Reports ended jobs to the addresses that they name, at least once each, also after a restart: until the
 * receiver answers with 2xx, or for a day.
 */
export class Webhooks implements AsyncDisposable {
  readonly #parts: WebhooksParts;
  readonly #sending = new Map<string, { readonly owner: string; readonly sent: Promise<void> }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  /** Sends what is due, and from then on what becomes due. To be called when a job has ended, too. */
  look(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    const { store } = this.#parts;
    for (const { job, owner, attempts } of store.webhooks.due(store.now(), 2 * AT_ONCE)) {
      if (this.#sending.size >= AT_ONCE) return;
      if (this.#sending.has(job) || this.#sendingOf(owner) >= OF_ONE_KEY) continue;
      const sent = this.#send(job, attempts).catch(async (error) => {
        // It could not be written down, and stays due.
        this.#parts.log("webhook not written", { job, error: reason(error) }, "error");
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }).finally(() => {
        this.#sending.delete(job);
        this.look();
      });
      this.#sending.set(job, { owner, sent });
    }
    this.#wait();
  }

  /** @returns when those under way have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all([...this.#sending.values()].map(({ sent }) => sent));
  }

  /** Receivers that do not answer hold up their own key's reports alone. */
  #sendingOf(owner: string): number {
    return [...this.#sending.values()].filter((each) => each.owner === owner).length;
  }

  #wait(): void {
    const { store } = this.#parts;
    const next = store.webhooks.nextDue();
    if (next === undefined || this.#sending.size > 0) return;
    const ms = Math.min(LOOK_MS, Math.max(0, next - store.now()));
    this.#timer = setTimeout(() => this.look(), ms);
  }

  async #send(id: string, attempts: number): Promise<void> {
    const { store, options: { waitsMs }, log } = this.#parts;
    const job = store.jobs.get(id);
    if (job?.webhook === undefined) return store.webhooks.end(id);
    try {
      await this.#post(job, job.webhook);
      store.webhooks.end(id);
    } catch (error) {
      const waitMs = waitsMs[attempts];
      const facts = { job: id, attempts: attempts + 1, error: reason(error) };
      if (waitMs === undefined) {
        store.webhooks.end(id);
        return log("webhook given up", facts, "warn");
      }
      store.webhooks.again(id, store.now() + waitMs, reason(error));
      log("webhook not taken", facts, "debug");
    }
  }

  async #post(job: Job, webhook: string): Promise<void> {
    const { options, resolve } = this.#parts;
    const status = await postOnce(this.#report(job, webhook), { ...options, resolve });
    if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
  }

  #report(job: Job, webhook: string): Post {
    const { store, shown } = this.#parts;
    // The same however often it is sent: by it the receiver knows a repetition.
    const id = `evt_${job.id}`;
    const body = JSON.stringify({ type: `job.${job.state}`, id, job: shown(job) });
    const seconds = Math.floor(store.now() / 1000);
    const secret = webhookSecret(store.secret, job.owner);
    return {
      url: new URL(webhook),
      body,
      headers: {
        ...{ "content-type": "application/json", "user-agent": "stepwise" },
        ...signatureHeaders(secret, { id, seconds, body }),
      },
    };
  }
}
