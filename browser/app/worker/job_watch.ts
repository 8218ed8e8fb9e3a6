import { createParser, type EventSourceMessage } from "eventsource-parser";
import { readAtMost } from "../../../core/bounded_body.ts";
import { AppError, reason } from "../../../core/error.ts";
import { parseJsonText } from "../../../core/json_text.ts";
import { Watchdog } from "../../../core/model/mod.ts";
import { addressOf, PATHS } from "../../../core/protocol/mod.ts";
import { receiptFromJson, receiptId } from "../../../core/transcript/mod.ts";
import {
  type GatewayAccess,
  JOB_NOT_FOUND,
  type JobImage,
  linkOf,
  type OrderEvent,
} from "../api/mod.ts";
import { type Json, objectOf } from "./fetch_json.ts";
import { ask } from "./jobs.ts";

/** A validator's job until it has ended, for the user whose it is. What comes is untrusted. */

const MAX_IMAGE = 64 * 2 ** 20;
/** Of an error's answer. */
const MAX_ERROR = 2 ** 16;
/** Milliseconds until the next try, twice as many after each: a validator that restarts has a minute. */
const RETRY_MS = 1500;
const MAX_RETRY_MS = 12_000;
/** In turn, without an event. */
const MAX_TRIES = 8;
/** Milliseconds without a byte; validators send some every 15 s. */
const SILENCE_MS = 45_000;
const IMAGE_MS = 60_000;

/**
 * Reports what happens to a job until it has ended; a connection that is cut goes on where it was.
 * @throws AppError `opening_withheld` where the validator does not answer, `cancelled`,
 * `job_not_found`.
 */
export async function watchJob(
  access: GatewayAccess,
  id: string,
  emit: (event: OrderEvent) => void,
): Promise<void> {
  const watch = new JobWatch(access, id, emit);
  for (let tries = 0;;) {
    const before = watch.taken;
    const failure = await watch.follow().then(
      (ended) => ended ? undefined : cannotFollow("the validator's events end before the job"),
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    tries = watch.taken === before ? tries + 1 : 0;
    if (tries >= MAX_TRIES || isFinal(failure)) throw failure;
    const pause = Math.min(RETRY_MS * 2 ** tries, MAX_RETRY_MS);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function cannotFollow(why: string): AppError {
  return new AppError("opening_withheld", `Cannot follow the job: ${why}`);
}

/** Whether to ask again at once would change nothing. */
function isFinal(error: unknown): boolean {
  return error instanceof Refused || error instanceof AppError && error.code === "cancelled";
}

/** The validator does not let this key follow the job, or has no such job any more. */
class Refused extends AppError {}

class JobWatch {
  readonly #access: GatewayAccess;
  readonly #id: string;
  readonly #emit: (event: OrderEvent) => void;
  readonly #handedOn = new Set<number>();
  /** Of the last event that was taken. */
  #last = "";
  /** How many events were taken. */
  taken = 0;

  constructor(access: GatewayAccess, id: string, emit: (event: OrderEvent) => void) {
    [this.#access, this.#id, this.#emit] = [access, id, emit];
  }

  /** Reads one connection's events. @returns whether the job has ended. */
  async follow(): Promise<boolean> {
    using silence = new Watchdog({ fetch, stallMs: SILENCE_MS });
    const response = await silence.during(this.#open(silence.signal));
    if (!response.ok) await silence.during(this.#refuse(response));
    for await (const { id, event = "", data } of eventsOf(response, silence)) {
      const ended = await this.#take(event, objectOf(parseJsonText(data)));
      // Not before: what could not be fetched is sent again.
      if (id !== undefined) this.#last = id;
      this.taken++;
      if (ended) return true;
    }
    return false;
  }

  #open(signal: AbortSignal): Promise<Response> {
    const { url, key } = this.#access;
    return fetch(addressOf(url, PATHS.jobEvents, { id: this.#id }), {
      headers: {
        ...{ authorization: `Bearer ${key}`, accept: "text/event-stream" },
        ...(this.#last !== "" && { "last-event-id": this.#last }),
      },
      ...{ redirect: "error", credentials: "omit", signal },
    });
  }

  async #refuse(response: Response): Promise<void> {
    const { status } = response;
    // Of something in between that knows no jobs, 404 says nothing of this one.
    if (await codeOf(response) === JOB_NOT_FOUND) {
      const why = "the validator has it no more, or not for this key";
      throw new Refused(JOB_NOT_FOUND, `Cannot follow the job: ${why}`);
    }
    const why = `the validator answered ${status}`;
    const isRefusal = status === 401 || status === 403;
    if (isRefusal) throw new Refused("opening_withheld", `Cannot follow the job: ${why}`);
    throw cannotFollow(why);
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
        await this.#handOnEnded();
        return false;
      case "done":
      case "failed":
      case "cancelled":
        await this.#handOnEnded();
        if (name === "cancelled") throw new AppError("cancelled", "The job was cancelled");
        return true;
      default:
        return false;
    }
  }

  /** What has ended and was not handed on yet, with receipts; one that fails keeps back no other. */
  async #handOnEnded(): Promise<void> {
    const address = addressOf(this.#access.url, PATHS.job, { id: this.#id });
    const { images } = await ask(this.#access, address);
    const shown = Array.isArray(images) ? images.map(objectOf) : [];
    const failures: unknown[] = [];
    for (const image of shown) await this.#handOn(image).catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  async #handOn(image: Json): Promise<void> {
    const n = Number(image.n);
    if (this.#handedOn.has(n)) return;
    if (image.state === "failed") {
      this.#emit({ kind: "failed", n, why: wordsOf(image.error) });
    } else if (image.state === "done") {
      this.#emit({ kind: "made", n, image: await this.#fetched(n, image) });
    } else return;
    this.#handedOn.add(n);
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

/** Events of one connection. @throws Error where no byte comes for too long. */
async function* eventsOf(
  { body }: Response,
  silence: Watchdog,
): AsyncGenerator<EventSourceMessage> {
  if (!body) return;
  const found: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => found.push(event) });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    while (true) {
      const { done, value } = await silence.during(reader.read());
      if (done) return;
      parser.feed(value);
      yield* found.splice(0);
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** Of an error's answer, which may be anything. */
async function codeOf(response: Response): Promise<unknown> {
  const bytes = await readAtMost(response, MAX_ERROR).catch(() => undefined);
  try {
    return objectOf(objectOf(parseJsonText(new TextDecoder().decode(bytes))).error).code;
  } catch {
    return undefined;
  }
}

function progressOf({ image, step, steps, preview }: Json): OrderEvent {
  const shown = typeof preview === "string" && /^data:image\/(png|jpeg|webp);base64,/.test(preview);
  return {
    ...{ kind: "step", n: Number(image) || 0, step: Number(step) || 0, steps: Number(steps) || 0 },
    ...(shown && { preview }),
  };
}

function wordsOf(error: unknown): string {
  const { message } = objectOf(error);
  return typeof message === "string" ? message.slice(0, 500) : reason(message ?? "no reason");
}
