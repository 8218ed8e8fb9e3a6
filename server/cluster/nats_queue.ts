import { headers, nanos } from "@nats-io/transport-node";
import { AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy } from "@nats-io/jetstream";
import type { DeadWork, TakeOptions, Work, WorkCounts, WorkOptions, WorkQueue } from "./cluster.ts";
import { checkKey, checkKind } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { traceParent } from "../telemetry/mod.ts";
import { acknowledge, type Pull, type Pulled, pullMessages } from "./nats_pull.ts";
import { openStream } from "./nats_stream.ts";
import { persist } from "./nats_writes.ts";

const ID = "Nats-Msg-Id";
const TRACE = "traceparent";
const DEAD_DAYS = 30;
/** Milliseconds after a pull's own end when a server that says nothing is given up. */
const LATE_MS = 2000;
/** Milliseconds in which what waits behind the first comes too. */
const MORE_MS = 50;

/**
 * Work on a stream that forgets what is acknowledged: a subject and a consumer for each kind, from
 * which all workers pull.
 */
export class NatsQueue implements WorkQueue {
  readonly #link: NatsLink;
  readonly #options: WorkOptions;
  readonly #stream: string;
  readonly #graves: string;
  /** Kinds whose consumer is there. */
  readonly #kinds = new Map<string, Promise<unknown>>();

  private constructor(link: NatsLink, options: WorkOptions) {
    this.#link = link;
    this.#options = options;
    this.#stream = `${link.prefix}_work`;
    this.#graves = `${link.prefix}_dead`;
  }

  static async open(link: NatsLink, options: WorkOptions): Promise<NatsQueue> {
    const queue = new NatsQueue(link, options);
    const { prefix } = link;
    await openStream(link, {
      ...{ name: queue.#stream, subjects: [`${prefix}.work.*`] },
      ...{ retention: RetentionPolicy.Workqueue, discard: DiscardPolicy.New },
      ...{ max_msgs_per_subject: options.limit, discard_new_per_subject: true },
      max_age: nanos(options.maxAgeMs),
    });
    await openStream(link, {
      ...{ name: queue.#graves, subjects: [`${prefix}.dead.*`] },
      max_age: nanos(DEAD_DAYS * 24 * 3600 * 1000),
    });
    return queue;
  }

  async add(kind: string, id: string, body: Uint8Array): Promise<boolean> {
    const subject = `${this.#link.prefix}.work.${checkKind(kind)}`;
    const all = headers();
    const parent = traceParent();
    if (parent !== undefined) all.set(TRACE, parent);
    const { duplicate } = await persist(
      "take the request",
      () => this.#link.client.publish(subject, body, { msgID: checkKey(id), headers: all }),
    );
    return !duplicate;
  }

  async take(kind: string, most: number, { waitMs, signal, onDead }: TakeOptions): Promise<Work[]> {
    await this.#consumerOf(checkKind(kind));
    const pull = { batch: 1, expires: nanos(waitMs) };
    const first = await this.#pull(kind, pull, waitMs + LATE_MS, signal);
    const rest = await this.#more(kind, Math.min(most - 1, first[0]?.behind ?? 0), signal);
    const taken = await Promise.allSettled(
      [...first, ...rest].map((message) => this.#alive(kind, message, onDead)),
    );
    const alive = taken.flatMap((each) => each.status === "fulfilled" ? each.value ?? [] : []);
    // What is dead and cannot be put away comes again: no other work is lost for it.
    const failed = taken.find((each) => each.status === "rejected");
    if (failed && alive.length === 0) throw failed.reason;
    return alive;
  }

  async counts(kind: string): Promise<WorkCounts> {
    await this.#consumerOf(checkKind(kind));
    const { num_pending: waiting, num_ack_pending: taken } = await persist(
      "count the work",
      () => this.#link.manager.consumers.info(this.#stream, kind),
    );
    return { waiting, taken };
  }

  async dead(): Promise<DeadWork[]> {
    const { messages, first_seq: first, last_seq: last } =
      (await this.#link.manager.streams.info(this.#graves)).state;
    const found: DeadWork[] = [];
    for (let seq = first; messages > 0 && seq <= last; seq++) {
      const message = await this.#link.manager.streams.getMessage(this.#graves, { seq });
      if (!message) continue;
      const kind = message.subject.slice(message.subject.lastIndexOf(".") + 1);
      found.push({ kind, id: message.header.get(ID), body: message.data });
    }
    return found;
  }

  /** The server hands out without end: who gets it once too often buries it. */
  #consumerOf(kind: string): Promise<unknown> {
    const open = () =>
      persist("open the queue", () =>
        this.#link.manager.consumers.add(this.#stream, {
          ...{ durable_name: kind, filter_subject: `${this.#link.prefix}.work.${kind}` },
          ...{ ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All },
          ...{ ack_wait: nanos(this.#options.silenceMs), max_ack_pending: this.#options.limit },
          ...{ max_deliver: -1, max_waiting: 4096 },
        }));
    const opened = this.#kinds.get(kind) ?? open();
    this.#kinds.set(kind, opened);
    opened.catch(() => this.#kinds.delete(kind));
    return opened;
  }

  /** Without a wait; but others may take them meanwhile, of which the server says nothing. */
  async #more(kind: string, batch: number, signal?: AbortSignal): Promise<Pulled[]> {
    if (batch === 0) return [];
    const pull = { batch, no_wait: true, expires: nanos(MORE_MS) };
    return await this.#pull(kind, pull, LATE_MS, signal);
  }

  #pull(kind: string, pull: Pull, ms: number, signal?: AbortSignal): Promise<Pulled[]> {
    const from = { stream: this.#stream, consumer: kind };
    return pullMessages(this.#link.connection, from, pull, { ms, signal });
  }

  /** @returns undefined for what is dead, and now lies with the others. */
  async #alive(
    kind: string,
    { message, delivery }: Pulled,
    onDead: TakeOptions["onDead"],
  ): Promise<Work | undefined> {
    const { connection, client, prefix } = this.#link;
    const { data: body, headers: all } = message;
    const [id, trace] = [all?.get(ID) ?? "", all?.get(TRACE) || undefined];
    if (delivery > this.#options.deliveries) {
      const grave = `${prefix}.dead.${kind}`;
      await persist("put away dead work", () => client.publish(grave, body, { msgID: id }));
      await onDead?.({ kind, id, body });
      message.respond("+TERM");
      return undefined;
    }
    return {
      ...{ id, delivery, body, trace, beat: () => void message.respond("+WPI") },
      // Lost, it comes again, and whoever gets it sees that it is done.
      done: async () => void await acknowledge(connection, message),
      giveBack: async () => {
        message.respond("-NAK");
        await connection.flush();
      },
    };
  }
}
