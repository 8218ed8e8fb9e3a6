import { inPlaceOf, type JobEvent } from "./job_event.ts";

/** Milliseconds from progress to progress, and more for each who watches: 500 get one a second. */
const PROGRESS_MS = 100;
const PROGRESS_MS_EACH = 2;
/** Characters that leave in a millisecond, all watchers together: previews make for more. */
const CHARACTERS_A_MS = 20_000;

interface Channel {
  readonly watchers: Set<Watcher>;
  /** The newest progress of each image, not sent yet. */
  readonly waiting: Map<number, JobEvent>;
  /** The newest of each image at all, for who comes late. */
  readonly newest: Map<number, JobEvent>;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Where who has seen all stands. */
  at: number;
}

/** Events of jobs to whoever watches. Of progress the newest counts: it is sent only so often. */
export class Broadcast {
  readonly #channels = new Map<string, Channel>();

  /** How many watch. */
  watchers(job: string): number {
    return this.#channels.get(job)?.watchers.size ?? 0;
  }

  /** Where a watcher stands that has seen all that is kept of a job. */
  standOf(job: string): number {
    return this.#channels.get(job)?.at ?? 0;
  }

  /** Jobs that somebody watches. */
  get watched(): string[] {
    return [...this.#channels].flatMap(([job, { watchers }]) => watchers.size > 0 ? job : []);
  }

  /** @param first what it gets before all that comes. @param at where it stands then. */
  watch(job: string, first: readonly JobEvent[], at: number): Watcher {
    const channel = this.#channel(job);
    channel.at = at;
    const watcher = new Watcher(() => channel.watchers.delete(watcher));
    for (const event of [...first, ...channel.newest.values()]) watcher.push(event);
    channel.watchers.add(watcher);
    return watcher;
  }

  progress(job: string, image: number, event: JobEvent): void {
    const channel = this.#channel(job);
    channel.newest.set(image, inPlaceOf(channel.newest.get(image), event));
    channel.waiting.set(image, inPlaceOf(channel.waiting.get(image), event));
    if (channel.timer !== undefined || channel.watchers.size === 0) return;
    const flushed = this.#flush(channel);
    const again = () => {
      channel.timer = undefined;
      if (channel.waiting.size === 0) return;
      channel.timer = setTimeout(again, this.#flush(channel));
    };
    channel.timer = setTimeout(again, flushed);
  }

  /** @param image whose progress it ends. */
  send(job: string, event: JobEvent, image?: number): void {
    const channel = this.#channels.get(job);
    if (!channel) return;
    channel.at = event.at;
    if (image !== undefined) {
      channel.waiting.delete(image);
      channel.newest.delete(image);
    }
    for (const watcher of channel.watchers) watcher.push(event);
  }

  /** Nothing more comes of a job. */
  end(job: string): void {
    const channel = this.#channels.get(job);
    if (!channel) return;
    clearTimeout(channel.timer);
    for (const watcher of channel.watchers) watcher.end();
    this.#channels.delete(job);
  }

  endAll(): void {
    for (const job of [...this.#channels.keys()]) this.end(job);
  }

  #channel(job: string): Channel {
    const channel = this.#channels.get(job) ??
      { watchers: new Set(), waiting: new Map(), newest: new Map(), timer: undefined, at: 0 };
    this.#channels.set(job, channel);
    return channel;
  }

  /** @returns milliseconds until it is worth to do so again. */
  #flush({ watchers, waiting }: Channel): number {
    let characters = 0;
    for (const event of waiting.values()) {
      characters += event.type === "progress" ? event.progress.preview?.length ?? 0 : 0;
      for (const watcher of watchers) watcher.push(event);
    }
    waiting.clear();
    const each = PROGRESS_MS_EACH + characters / CHARACTERS_A_MS;
    return PROGRESS_MS + each * watchers.size;
  }
}

/** What one watcher has not read yet. Who reads slowly misses progress, and nothing else. */
export class Watcher implements Disposable {
  readonly #left: () => void;
  #events: JobEvent[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(left: () => void) {
    this.#left = left;
  }

  /** Events that are all there is. */
  static of(events: readonly JobEvent[]): Watcher {
    const watcher = new Watcher(() => {});
    for (const event of events) watcher.push(event);
    watcher.end();
    return watcher;
  }

  push(event: JobEvent): void {
    const at = this.#events.findIndex((old) => replaces(event, old));
    const [old] = at < 0 ? [] : this.#events.splice(at, 1);
    this.#events.push(inPlaceOf(old, event));
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** @returns undefined at the end, or when the signal aborts. */
  async next(signal?: AbortSignal): Promise<JobEvent | undefined> {
    while (this.#events.length === 0 && !this.#ended && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      signal?.addEventListener("abort", () => resolve(), { once: true });
      await promise;
    }
    return signal?.aborted ? undefined : this.#events.shift();
  }

  [Symbol.dispose](): void {
    this.end();
    this.#left();
  }
}

function replaces(event: JobEvent, old: JobEvent): boolean {
  if (event.type === "queued") return old.type === "queued";
  return event.type === "progress" && old.type === "progress" && old.image === event.image;
}
