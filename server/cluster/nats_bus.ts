import { headers, type Msg, NoRespondersError, RequestError } from "@nats-io/transport-node";
import { concatBytes } from "@noble/hashes/utils.js";
import { AppError, reason } from "../../core/error.ts";
import { isErrorCode } from "../../core/error_codes.ts";
import type { Bus } from "./cluster.ts";
import { checkSubject } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { persist, unanswered } from "./nats_writes.ts";

/** Milliseconds from a question to the end of its answer. */
const ASK_MS = 30_000;
/** Of an answer that is sent at a time: a server takes 1 MiB with the headers. */
const PART_BYTES = 512 * 1024;
/** How many parts an answer has, in the header of each. */
const PARTS = "Parts";
const ERROR = "Error";

/** Plain subjects; answers may be longer than a message. */
export class NatsBus implements Bus {
  readonly #link: NatsLink;

  constructor(link: NatsLink) {
    this.#link = link;
  }

  publish(subject: string, body: Uint8Array): void {
    this.#link.connection.publish(this.#name(subject), body);
  }

  async listen(subject: string, hear: (body: Uint8Array) => void): Promise<Disposable> {
    return await this.#subscribe(subject, ({ data }) => hear(data));
  }

  async ask(
    subject: string,
    body: Uint8Array,
    waitMs = ASK_MS,
  ): Promise<Uint8Array | undefined> {
    try {
      return await this.#asked(this.#name(subject), body, waitMs);
    } catch (error) {
      if (isSilent(error)) return undefined;
      throw error instanceof AppError ? error : unanswered("ask another machine", error);
    }
  }

  async answer(
    subject: string,
    reply: (body: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Disposable> {
    return await this.#subscribe(subject, async (message) => {
      try {
        respondInParts(message, await reply(message.data));
      } catch (error) {
        const { code, message: words } = error instanceof AppError
          ? error
          : { code: "host_failed" as const, message: `Cannot answer: ${reason(error)}` };
        const all = headers();
        all.set(ERROR, JSON.stringify({ code, message: words }));
        message.respond(new Uint8Array(), { headers: all });
      }
    });
  }

  async #asked(subject: string, body: Uint8Array, maxWait: number): Promise<Uint8Array> {
    const { connection } = this.#link;
    const parts: Uint8Array[] = [];
    const replies = await connection.requestMany(subject, body, { strategy: "sentinel", maxWait });
    for await (const { data, headers: all } of replies) {
      if (all?.code === 503) throw new NoRespondersError(subject);
      if (all?.has(ERROR)) throw errorOf(all.get(ERROR));
      if (data.length > 0) parts.push(data);
      if (all?.has(PARTS) && parts.length === Number(all.get(PARTS))) return concatBytes(...parts);
    }
    throw new Error(`${parts.length} parts of an answer came`);
  }

  async #subscribe(subject: string, hear: (message: Msg) => unknown): Promise<Disposable> {
    const { connection } = this.#link;
    const subscription = connection.subscribe(this.#name(subject), {
      callback: (error, message) => {
        if (error) return;
        // A throw in here would end the reading of all that comes.
        Promise.try(() => hear(message)).catch((cause) =>
          this.#link.log("message not taken", { subject, why: reason(cause) }, "warn")
        );
      },
    });
    // Known to a server before anybody is told of it; where one goes meanwhile, to the next.
    await persist("listen", () => connection.flush());
    return { [Symbol.dispose]: () => subscription.unsubscribe() };
  }

  #name(subject: string): string {
    return `${this.#link.prefix}.bus.${checkSubject(subject)}`;
  }
}

function respondInParts(message: Msg, body: Uint8Array): void {
  const count = Math.ceil(body.length / PART_BYTES);
  const all = headers();
  all.set(PARTS, String(count));
  for (let k = 0; k < count; k++) {
    message.respond(body.subarray(k * PART_BYTES, (k + 1) * PART_BYTES), { headers: all });
  }
  if (count === 0) message.respond(new Uint8Array(), { headers: all });
}

function isSilent(error: unknown): boolean {
  return error instanceof NoRespondersError ||
    (error instanceof RequestError && error.isNoResponders());
}

function errorOf(json: string): AppError {
  const { code, message } = JSON.parse(json) as { readonly code: unknown; message: unknown };
  return new AppError(isErrorCode(code) ? code : "host_failed", String(message));
}
