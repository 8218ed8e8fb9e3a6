import { z } from "zod";
import type { Hotkey } from "../../core/keys/mod.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { decodeMinerInfo, type MinerInfo } from "../../core/protocol/mod.ts";

/** What axons and workers of one hotkey say to each other in a cluster. */

/** Seconds for which an answer waits for its axon, and users for a job. */
export const ANSWER_SECONDS = 3600;
/** Milliseconds from one sign of life of a worker to the next. */
export const HELLO_MS = 5000;

/** The table of answers, each written once, by the job's id. */
export const ANSWERS = "answers";
/** The store in which workers leave what they are able to, for axons that come when none is there. */
export const MODELS = "models";
export const MODELS_SECONDS = 90 * 24 * 3600;

/** Jobs of one hotkey for one model: whoever has both can do them. */
export function kindOf({ address }: Pick<Hotkey, "address">, manifest: string): string {
  return `${address}_${manifest}`;
}

/** Subjects of the bus. */
export const SUBJECTS = {
  /** Progress of a job, and its end. */
  job: (id: string) => `job.${id}`,
  /** Answered by the axon that waits for the job. */
  caller: (id: string) => `caller.${id}`,
  /** Answered by the worker that keeps the receipt's transcript. */
  receipt: (id: string) => `receipt.${id}`,
  /** Jobs that nobody wants any more, by their ids. */
  cancel: ({ address }: Pick<Hotkey, "address">) => `cancel.${address}`,
  /** What workers say of themselves. */
  hello: ({ address }: Pick<Hotkey, "address">) => `hello.${address}`,
  /** Asks them all to say so now. */
  who: ({ address }: Pick<Hotkey, "address">) => `who.${address}`,
  /** Asks those of a machine to finish and leave, by its name. */
  drain: ({ address }: Pick<Hotkey, "address">) => `drain.${address}`,
} as const;

export function toBytes(json: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json));
}

export function fromBytes(bytes: Uint8Array): unknown {
  return parseJsonText(new TextDecoder().decode(bytes));
}

const event = z.object({
  event: z.enum(["queued", "progress", "done", "error"]),
  json: z.unknown(),
});

/** As the events of the miner's route. */
export type JobEvent = Readonly<z.infer<typeof event>>;

export function decodeEvent(bytes: Uint8Array): JobEvent {
  return event.parse(fromBytes(bytes));
}

const keeping = z.discriminatedUnion("want", [
  z.object({ want: z.literal("opens"), token: z.string() }),
  z.object({ want: z.literal("receipt") }),
  z.object({ want: z.literal("image") }),
  z.object({ want: z.literal("step"), step: z.union([z.literal(["start", "end"]), z.int()]) }),
  z.object({ want: z.literal("forget") }),
]);

/** What is asked of the one that keeps a transcript. */
export type KeeperQuestion = Readonly<z.infer<typeof keeping>>;

export function decodeQuestion(bytes: Uint8Array): KeeperQuestion {
  return keeping.parse(fromBytes(bytes));
}

/** What a worker says of itself. */
export interface Hello {
  readonly id: string;
  /** The machine's name. */
  readonly host: string;
  readonly info: MinerInfo;
  /** Whether it takes no more. */
  readonly leaving: boolean;
}

const hello = z.object({
  id: z.string(),
  host: z.string(),
  info: z.unknown(),
  leaving: z.boolean(),
});

export function decodeHello(bytes: Uint8Array): Hello {
  const { info, ...rest } = hello.parse(fromBytes(bytes));
  return { ...rest, info: decodeMinerInfo(info) };
}
