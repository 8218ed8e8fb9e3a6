import { nanos } from "@nats-io/transport-node";
import { DeliverPolicy, DiscardPolicy } from "@nats-io/jetstream";
import type { Entry, ResultLog } from "./cluster.ts";
import { checkKey } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { openStream } from "./nats_stream.ts";
import { isTaken, persist } from "./nats_writes.ts";

/** For which a ledger can be built anew. */
const KEPT_DAYS = 90;
/** Entries that are read ahead. */
const AHEAD = 200;

/** Results on a stream with a subject for each: the second of one id is refused, however late. */
export class NatsResults implements ResultLog {
  readonly #link: NatsLink;
  readonly #stream: string;

  private constructor(link: NatsLink) {
    this.#link = link;
    this.#stream = `${link.prefix}_results`;
  }

  static async open(link: NatsLink): Promise<NatsResults> {
    const results = new NatsResults(link);
    await openStream(link, {
      ...{ name: results.#stream, subjects: [`${link.prefix}.results.*`] },
      ...{ discard: DiscardPolicy.New, max_age: nanos(KEPT_DAYS * 24 * 3600 * 1000) },
    });
    return results;
  }

  async append(id: string, body: Uint8Array): Promise<boolean> {
    const subject = `${this.#link.prefix}.results.${checkKey(id)}`;
    try {
      const { duplicate } = await persist(
        "keep a result",
        () =>
          this.#link.client.publish(subject, body, {
            ...{ msgID: id, expect: { lastSubjectSequence: 0 } },
          }),
      );
      return !duplicate;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }

  async *read(after: number, signal: AbortSignal): AsyncIterable<Entry> {
    const consumer = await this.#link.client.consumers.get(this.#stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
    });
    const messages = await consumer.consume({ max_messages: AHEAD });
    const end = () => messages.stop();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      for await (const { seq, subject, data } of messages) {
        yield { position: seq, id: subject.slice(subject.lastIndexOf(".") + 1), body: data };
      }
    } finally {
      signal.removeEventListener("abort", end);
      await messages.close();
    }
  }

  async last(): Promise<number> {
    const { state } = await persist(
      "read the results",
      () => this.#link.manager.streams.info(this.#stream),
    );
    return state.last_seq;
  }
}
