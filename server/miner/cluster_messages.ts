import { z } from "zod";
import type { Hotkey } from "../../core/keys/mod.ts";
import { parseJsonText } from "../../core/json_text.ts";
import { WORK_OPTIONS } from "../cluster/mod.ts";
import { decodeMinerInfo, type MinerInfo } from "../../core/protocol/mod.ts";

/** What axons and workers of one hotkey say to each other in a cluster. */

/**
 * Seconds for which an answer waits for its axon, and users for a job: no less than work of a cluster is
 * kept, so that who takes a job that was cancelled sees that.
 */
export const ANSWER_SECONDS = WORK_OPTIONS.maxAgeMs / 1000;
/** Milliseconds from one sign of life of a worker to the next. */
export const HELLO_MS = 5000;

/** The table of answers, each written once, by the job's id. */
export const ANSWERS = "answers";
/** The store in which workers leave what they are able to, for axons that come when none is there. */
export const MODELS = "models";
export const MODELS_SECONDS = 90 * 24 * 3600;

/** Versions of these messages that a program speaks: all from one to another. */
export interface Versions {
  readonly from: number;
  readonly to: number;
}

/**
 * What this program speaks. A change that others would misunderstand gets the next number, and the one
 * before is spoken on: then workers and axons are replaced one by one, in any order.
 */
export const SPOKEN: Versions = { from: 1, to: 1 };

/** Jobs of one hotkey for one model, in one version: whoever has all three can do them. */
export function kindOf(
  { address }: Pick<Hotkey, "address">,
  manifest: string,
  version = 1,
): string {
  return `${address}_${manifest}${version === 1 ? "" : `_v${version}`}`;
}

/** Of all versions that are spoken. */
export function kindsOf(
  hotkey: Pick<Hotkey, "address">,
  manifest: string,
  { from, to }: Versions,
): readonly string[] {
  const versions = Array.from({ length: to - from + 1 }, (_, k) => to - k);
  return versions.map((version) => kindOf(hotkey, manifest, version));
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

/** Bytes of what is said to who listens now: a server of NATS takes 1 MiB in all. */
const MAX_WORD_BYTES = 900_000;

/**
 * An event as it is said, its previews left out where they are too large: the images are what counts.
 * @returns undefined for one that is too large without them.
 */
export function wordOf({ event, json }: JobEvent): Uint8Array | undefined {
  const whole = toBytes({ event, json });
  if (whole.length <= MAX_WORD_BYTES) return whole;
  const { previews: _, ...rest } = Object(json);
  const word = toBytes({ event, json: rest });
  return word.length <= MAX_WORD_BYTES ? word : undefined;
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
  z.object({ want: z.literal("input"), sha256: z.string() }),
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
  readonly speaks: Versions;
}

const hello = z.object({
  id: z.string(),
  speaks: z.object({ from: z.int(), to: z.int() }).default({ from: 1, to: 1 }),
  host: z.string(),
  info: z.unknown(),
  leaving: z.boolean(),
});

export function decodeHello(bytes: Uint8Array): Hello {
  const { info, ...rest } = hello.parse(fromBytes(bytes));
  return { ...rest, info: decodeMinerInfo(info) };
}
