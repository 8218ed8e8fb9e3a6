import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";

/**
 * What a consumer is asked for. The client library's own pulls are for streams of messages; one that
 * takes what is there, and can be called off, is not among them.
 */
export interface Pull {
  readonly batch: number;
  /** Nanoseconds. */
  readonly expires?: number;
  readonly no_wait?: boolean;
}

/** A message that has to be acknowledged. */
export interface Pulled {
  readonly message: Msg;
  /** How often it was handed out. */
  readonly delivery: number;
  /** How many waited when it was handed out. */
  readonly behind: number;
}

const NO_RESPONDERS = 503;
/** Milliseconds after which an answer of a server that has no leader yet is asked for again. */
const AGAIN_MS = 100;
/** Milliseconds that a server has to say that an acknowledgement is kept. */
const ACK_MS = 2000;

/**
 * Pulls from a consumer until the batch is full, or the server or the signal ends it.
 * @param ms after which a server that says nothing is given up.
 */
export async function pullMessages(
  connection: NatsConnection,
  { stream, consumer }: { readonly stream: string; readonly consumer: string },
  pull: Pull,
  { ms, signal }: { readonly ms: number; readonly signal?: AbortSignal },
): Promise<Pulled[]> {
  const inbox = createInbox();
  const messages = connection.subscribe(inbox);
  const end = () => messages.unsubscribe();
  const timer = setTimeout(end, ms);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  const pulled: Pulled[] = [];
  try {
    const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`;
    connection.publish(next, JSON.stringify(pull), { reply: inbox });
    for await (const message of messages) {
      if (isStatus(message)) {
        if (message.headers?.code === NO_RESPONDERS) await pause(AGAIN_MS);
        break;
      }
      pulled.push(countsOf(message));
      if (pulled.length === pull.batch) break;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    messages.unsubscribe();
  }
  return pulled;
}

/** Says that it is done. @returns whether the server has that. */
export async function acknowledge(connection: NatsConnection, message: Msg): Promise<boolean> {
  const reply = connection.request(message.reply ?? "", "+ACK", { timeout: ACK_MS });
  return await reply.then(() => true, () => false);
}

/** Whether it is the server's word on the pull, and no work. */
function isStatus({ headers, data }: Msg): boolean {
  return data.length === 0 && (headers?.code ?? 0) > 0;
}

/**
 * The reply's subject counts: `$JS.ACK.<stream>.<consumer>.<deliveries>.<3 numbers>.<waiting>`, with
 * a domain and an account before the stream, and more behind, on servers that have them.
 */
function countsOf(message: Msg): Pulled {
  const words = message.reply?.split(".") ?? [];
  const at = words.length === 9 ? 4 : 6;
  return { message, delivery: Number(words[at]), behind: Number(words[at + 4]) };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
