import { counted } from "../../core/counted.ts";
import process from "node:process";

import type { ModelProgress } from "../../core/model/mod.ts";

const BAR_WIDTH = 24;
const ESCAPE_LINE = "\r\x1b[2K";

/** Where progress is told. */
export interface ProgressOutput {
  /** A terminal. */
  readonly isTTY?: boolean;
  /** Characters in a line. */
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * What a long command says while it works, on stderr: one line that is redrawn on a terminal,
 * plain lines elsewhere.
 */
export class Progress implements Disposable {
  readonly #out: ProgressOutput;
  readonly #quiet: boolean;
  #lastLine = -Infinity;
  #started = 0;
  #drawn = false;

  constructor(options: { readonly quiet: boolean }, out: ProgressOutput = process.stderr) {
    this.#quiet = options.quiet;
    this.#out = out;
  }

  /** A sentence that stays. */
  say(text: string): void {
    if (this.#quiet) return;
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  /** @param done of total, in any unit; counts from 1. @param now milliseconds. */
  step(what: string, done: number, total: number, now = performance.now()): void {
    if (this.#quiet) return;
    if (done <= 1) this.#started = now;
    const left = done > 1 ? (now - this.#started) / (done - 1) * (total - done) / 1000 : undefined;
    if (this.#out.isTTY) this.#draw(bar(what, done, total, left));
    else if (this.#due(now) || done === total) {
      this.#out.write(`${line(what, done, total, left)}\n`);
    }
    if (done === total) this.#clear();
  }

  /** The fetching of a model. */
  model(event: ModelProgress): void {
    if (event.kind !== "download") return this.say(event.message);
    const { bytes, totalBytes, files, totalFiles } = event;
    const megabytes = (count: number) => (count / 1e6).toFixed(1);
    const total = totalBytes === undefined ? "" : ` of ${megabytes(totalBytes)}`;
    const text = `Fetching: ${megabytes(bytes)}${total} MB, ${files} of ${
      counted(totalFiles, "file")
    }`;
    if (this.#out.isTTY) this.hint(text);
    else if (this.#due()) this.say(text);
  }

  /** A passing remark, redrawn by the next; terminals only. */
  hint(text: string): void {
    if (!this.#quiet && this.#out.isTTY) this.#draw(text);
  }

  /** Leaves the terminal's line empty, also for the message of a failure. */
  [Symbol.dispose](): void {
    this.#clear();
  }

  /** Plain output gets a line a second. */
  #due(now = performance.now()): boolean {
    if (now - this.#lastLine < 1000) return false;
    this.#lastLine = now;
    return true;
  }

  #draw(text: string): void {
    this.#drawn = true;
    // What went on to a next row could not be drawn again.
    this.#out.write(ESCAPE_LINE + text.slice(0, (this.#out.columns ?? 80) - 1));
  }

  #clear(): void {
    if (this.#drawn) this.#out.write(ESCAPE_LINE);
    this.#drawn = false;
  }
}

function bar(what: string, done: number, total: number, left: number | undefined): string {
  const full = Math.round(BAR_WIDTH * done / total);
  return `[${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)}] ${line(what, done, total, left)}`;
}

function line(what: string, done: number, total: number, left: number | undefined): string {
  const time = left === undefined ? "" : `, ${duration(left)} left`;
  return `${what} ${done}/${total}${done === total ? "" : time}`;
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
