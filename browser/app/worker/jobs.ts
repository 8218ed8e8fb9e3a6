import { EventSourceParserStream } from "eventsource-parser/stream";
import { readAtMost } from "../../../core/bounded_body.ts";
import { AppError, reason } from "../../../core/error.ts";
import { parseJsonText } from "../../../core/json_text.ts";
import { addressOf, type CallBody, callBody, PATHS } from "../../../core/protocol/mod.ts";
import { receiptFromJson, receiptId } from "../../../core/transcript/mod.ts";
import {
  type GatewayAccess,
  type JobImage,
  type JobOrder,
  type KeyFacts,
  linkOf,
  type OrderEvent,
} from "../api/mod.ts";
import { fetchJson } from "./fetch_json.ts";

/** A validator's jobs, for a user with a key. Its answers are untrusted. */

type Json = Readonly<Record<string, unknown>>;

const WHOM = "the validator";
/** A job's receipts, and an image's file. */
const MAX_JSON = 4 * 2 ** 20;
const MAX_IMAGE = 64 * 2 ** 20;
/** Milliseconds between tries, and how often in turn without an event. */
const RETRY_MS = 1500;
const MAX_TRIES = 8;
const IMAGE_MS = 60_000;

/** Whose the key is. @throws AppError `opening_withheld`, with the validator's words. */
export async function readKey(access: GatewayAccess): Promise<KeyFacts> {
  const { key, days } = await ask(access, addressOf(access.url, PATHS.usage, {}));
  const { name, limits } = objectOf(key);
  const today = new Date().toISOString().slice(0, 10);
  const used = Array.isArray(days) ? days.map(objectOf).find(({ day }) => day === today) : {};
  const { imagesPerDay } = objectOf(limits);
  return {
    name: String(name ?? "").slice(0, 100),
    today: Number(used?.images ?? 0),
    imagesPerDay: typeof imagesPerDay === "number" ? imagesPerDay : undefined,
  };
}

/** @returns the job's id. @param once the same for each try of one order. */
export async function submitJob(
  access: GatewayAccess,
  order: JobOrder,
  count: number,
  once: string,
): Promise<string> {
  const { bytes: body, type } = await bodyOf(order, count);
  const headers = { "content-type": type, "idempotency-key": once };
  const { id } = await ask(access, addressOf(access.url, PATHS.jobs, {}), {
    ...{ method: "POST", headers, body },
  });
  if (typeof id === "string" && id.length <= 100) return id;
  throw new AppError("opening_withheld", "Cannot make it: the validator gave the job no id");
}

async function bodyOf(order: JobOrder, count: number): Promise<CallBody> {
  const { prompt, negativePrompt, seed, steps, guidanceScale, size, source, control } = order;
  const asked = { prompt, negativePrompt, seed, steps, guidanceScale, batch: count };
  if (!source && !control) return callBody({ request: { ...asked, width: size, height: size } });
  const { ownInputs } = await import("./own_inputs.ts");
  const inputs = await ownInputs(order);
  return callBody({ request: { ...asked, ...inputs.size, ...inputs.named } }, inputs.bytes);
}

export async function cancelJob(access: GatewayAccess, id: string): Promise<void> {
  await ask(access, addressOf(access.url, PATHS.job, { id }), { method: "DELETE" });
}

/**
 * Tells what happens to a job until it has ended; a connection that is cut goes on where it was.
 * @throws AppError `opening_withheld` where the validator no longer answers, `cancelled`.
 */
export async function watchJob(
  access: GatewayAccess,
  id: string,
  emit: (event: OrderEvent) => void,
): Promise<void> {
  const watch = new JobWatch(access, id, emit);
  for (let tries = 1;; tries++) {
    try {
      const before = watch.last;
      if (await watch.follow()) return;
      if (watch.last !== before) tries = 1;
    } catch (error) {
      if (error instanceof AppError && error.code === "cancelled") throw error;
      if (tries >= MAX_TRIES || error instanceof Refused) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** The validator does not give the job to this key, or has no such job any more. */
class Refused extends AppError {
  constructor(why: string) {
    super("opening_withheld", `Cannot follow the job: ${why}`);
  }
}

class JobWatch {
  readonly #access: GatewayAccess;
  readonly #id: string;
  readonly #emit: (event: OrderEvent) => void;
  readonly #told = new Set<number>();
  /** Of the last event. */
  last = "";

  constructor(access: GatewayAccess, id: string, emit: (event: OrderEvent) => void) {
    [this.#access, this.#id, this.#emit] = [access, id, emit];
  }

  /** Reads one connection's events. @returns whether the job has ended. */
  async follow(): Promise<boolean> {
    const { url, key } = this.#access;
    const response = await fetch(addressOf(url, PATHS.jobEvents, { id: this.#id }), {
      headers: {
        ...{ authorization: `Bearer ${key}`, accept: "text/event-stream" },
        ...(this.last !== "" && { "last-event-id": this.last }),
      },
      ...{ redirect: "error", credentials: "omit" },
    });
    if (!response.ok || !response.body) await this.#refuse(response);
    const events = response.body?.pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream());
    for await (const { id, event = "", data } of events ?? []) {
      if (id !== undefined) this.last = id;
      if (await this.#take(event, objectOf(parseJsonText(data)))) return true;
    }
    return false;
  }

  async #refuse(response: Response): Promise<void> {
    const why = `the validator answered ${response.status}`;
    await response.body?.cancel();
    if (response.status < 500 && response.status !== 429) throw new Refused(why);
    throw new AppError("opening_withheld", `Cannot follow the job: ${why}`);
  }

  /** @returns whether it was the last. */
  async #take(name: string, data: Json): Promise<boolean> {
    switch (name) {
      case "queued":
        this.#emit({
          ...{ kind: "queued", position: Number(data.position) || 0 },
          waitSeconds: typeof data.waitSeconds === "number" ? data.waitSeconds : undefined,
        });
        return false;
      case "progress":
        this.#emit(progressOf(data));
        return false;
      case "image":
        await this.#tellEnded();
        return false;
      case "done":
      case "failed":
      case "cancelled":
        await this.#tellEnded();
        if (name === "cancelled") throw new AppError("cancelled", "The job was cancelled");
        return true;
      default:
        return false;
    }
  }

  /** What has ended and was not told yet, with receipts. */
  async #tellEnded(): Promise<void> {
    const address = addressOf(this.#access.url, PATHS.job, { id: this.#id });
    const { images } = await ask(this.#access, address);
    for (const image of Array.isArray(images) ? images.map(objectOf) : []) {
      const n = Number(image.n);
      if (this.#told.has(n)) continue;
      if (image.state === "failed") {
        this.#emit({ kind: "failed", n, why: wordsOf(image.error) });
      } else if (image.state === "done") {
        this.#emit({ kind: "made", n, image: await this.#fetched(n, image) });
      } else continue;
      this.#told.add(n);
    }
  }

  async #fetched(n: number, shown: Json): Promise<JobImage> {
    const receipt = receiptFromJson(shown.receipt);
    const { url } = objectOf(shown.miner);
    const link = url === undefined || shown.token === undefined ? undefined : linkOf(
      new URLSearchParams({
        ...{ miner: String(url), id: receiptId(receipt), token: String(shown.token) },
        validator: this.#access.url,
      }),
      self.location.href,
    );
    const notices = Array.isArray(shown.notices) ? shown.notices.map(String) : [];
    const image = await this.#file(n, receipt.image.mediaType);
    return { receipt, ...(link && { link }), image, notices };
  }

  async #file(n: number, type: string): Promise<Blob> {
    const response = await fetch(
      addressOf(this.#access.url, PATHS.jobImage, { id: this.#id, n }),
      {
        headers: { authorization: `Bearer ${this.#access.key}` },
        ...{ redirect: "error", credentials: "omit", signal: AbortSignal.timeout(IMAGE_MS) },
      },
    );
    const bytes = response.ok ? await readAtMost(response, MAX_IMAGE) : undefined;
    if (bytes) return new Blob([bytes], { type });
    throw new AppError(
      "opening_withheld",
      `Cannot fetch the image: the validator answered ${response.status}`,
    );
  }
}

function progressOf({ image, step, steps, preview }: Json): OrderEvent {
  const shown = typeof preview === "string" && /^data:image\/(png|jpeg|webp);base64,/.test(preview);
  return {
    ...{ kind: "step", n: Number(image) || 0, step: Number(step) || 0, steps: Number(steps) || 0 },
    ...(shown && { preview }),
  };
}

async function ask(
  { key }: GatewayAccess,
  url: URL,
  { headers, ...init }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: BodyInit;
  } = {},
): Promise<Json> {
  const authorization = { authorization: `Bearer ${key}`, ...headers };
  return objectOf(
    await fetchJson({
      ...{ whom: WHOM, url, maxBytes: MAX_JSON },
      init: { ...init, headers: authorization },
    }),
  );
}

function wordsOf(error: unknown): string {
  const { message } = objectOf(error);
  return typeof message === "string" ? message.slice(0, 500) : reason(message ?? "no reason");
}

function objectOf(value: unknown): Json {
  return Object(value);
}
