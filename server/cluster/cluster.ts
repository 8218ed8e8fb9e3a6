import type { TraceParent } from "../telemetry/mod.ts";

/** What several processes share. One process keeps it itself; several have it on NATS JetStream. */
export interface Cluster extends AsyncDisposable {
  readonly work: WorkQueue;
  readonly results: ResultLog;
  readonly bus: Bus;
  /** What went over the network so far, both ways. */
  traffic(): { readonly messages: number; readonly bytes: number };
  /**
   * A table of values that are written once.
   * @param name letters, digits and `_`.
   * @param seconds for which a value is kept since it was claimed or renewed.
   */
  once(name: string, seconds: number): Promise<Once>;
  /** A store of files, each kept for so many seconds. */
  blobs(name: string, seconds: number): Promise<Blobs>;
}

/** Work that is waiting for whoever can do it. What was added is durable, where the cluster is. */
export interface WorkQueue {
  /**
   * @param kind whoever takes this kind can do it: letters, digits and `_`.
   * @param id within two minutes the same one is added once.
   * @returns whether it was new.
   * @throws AppError `queue_full`, `storage_failed`, `cluster_unavailable`; it is not added then,
   * or, for the last, nobody knows, and it may be added again.
   */
  add(kind: string, id: string, body: Uint8Array): Promise<boolean>;
  /**
   * Takes what waits, the oldest first.
   * @returns from one to `most`, or none when the time is over or the signal came.
   */
  take(kind: string, most: number, options: TakeOptions): Promise<Work[]>;
  counts(kind: string): Promise<WorkCounts>;
  /** What was taken as often as it may be, and never done; the oldest first. */
  dead(): Promise<DeadWork[]>;
}

export interface TakeOptions {
  readonly waitMs: number;
  readonly signal?: AbortSignal;
  /** Called with work that was taken too often; it lies with the dead then. */
  readonly onDead?: (work: DeadWork) => Promise<void>;
}

/** Work that this process has taken. Others get it when nothing is heard of it for a while. */
export interface Work {
  readonly id: string;
  readonly body: Uint8Array;
  /** 1 for the first time that it was taken. */
  readonly delivery: number;
  /** The span in which it was added. */
  readonly trace?: TraceParent;
  /** Says that it is being done. */
  beat(): void;
  /** It is done, and what came of it is safe. */
  done(): Promise<void>;
  /** Somebody else shall do it, at once. */
  giveBack(): Promise<void>;
}

export interface WorkCounts {
  readonly waiting: number;
  readonly taken: number;
}

export interface DeadWork {
  readonly kind: string;
  readonly id: string;
  readonly body: Uint8Array;
}

/** What was measured, in one order for all. */
export interface ResultLog {
  /** @returns whether it is new; the same id is kept once. @throws as `WorkQueue.add`. */
  append(id: string, body: Uint8Array): Promise<boolean>;
  /**
   * All after a position, 0 for the beginning, and then what comes, until the signal. It reads no
   * further ahead than a few hundred entries.
   */
  read(after: number, signal: AbortSignal): AsyncIterable<Entry>;
  /** The position of the newest; 0 where there never was one. */
  last(): Promise<number>;
}

export interface Entry {
  readonly position: number;
  readonly id: string;
  readonly body: Uint8Array;
}

/** Values that are written once, and then gone after a time. */
export interface Once {
  /** @param key letters, digits, `_`, `-` and `=`. @returns whether there was none. */
  claim(key: string, value: string): Promise<boolean>;
  get(key: string): Promise<string | undefined>;
  /** Keeps it for its time from now. @returns false when it is another value by now, or gone. */
  renew(key: string, value: string): Promise<boolean>;
  /** Removes it, if it is this value. */
  release(key: string, value: string): Promise<void>;
}

/** Files, by names as keys of {@link Once}. */
export interface Blobs {
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  remove(key: string): Promise<void>;
}

/** What is said to whoever listens now. */
export interface Bus {
  /** @param subject words of letters, digits, `_` and `-`, with dots between them. */
  publish(subject: string, body: Uint8Array): void;
  listen(subject: string, hear: (body: Uint8Array) => void): Promise<Disposable>;
  /**
   * Asks whoever answers there.
   * @returns undefined when nobody does, at once.
   * @throws AppError as the answerer, or `cluster_unavailable` after a time without an answer.
   */
  ask(subject: string, body: Uint8Array, waitMs?: number): Promise<Uint8Array | undefined>;
  answer(
    subject: string,
    reply: (body: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Disposable>;
}

/** How work is handed out. */
export interface WorkOptions {
  /** Work of one kind that may wait or be done at a time. */
  readonly limit: number;
  /** Milliseconds after which work of which nothing is heard is somebody else's. */
  readonly silenceMs: number;
  /** How often work is handed out, before it is dead. */
  readonly deliveries: number;
  /** Milliseconds after which nobody wants it any more: it is forgotten. */
  readonly maxAgeMs: number;
}

export const WORK_OPTIONS: WorkOptions = {
  ...{ limit: 1000, silenceMs: 30_000, deliveries: 3 },
  maxAgeMs: 3_600_000,
};
