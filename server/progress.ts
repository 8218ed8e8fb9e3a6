import process from "node:process";

import type { ModelProgress } from "../core/inference/mod.ts";

const BAR_WIDTH = 24;
const ESCAPE_LINE = "\r\x1b[2K";

/**
 * What a long command says while it works, on stderr: one line that is redrawn on a terminal,
 * plain lines elsewhere.
 */
export class Progress {
  readonly #terminal = process.stderr.isTTY === true;
  readonly #quiet: boolean;
  #lastLine = -Infinity;
  #started = 0;
  #drawn = false;

  constructor(options: { readonly quiet: boolean }) {
    this.#quiet = options.quiet;
  }

  /** A sentence that stays. */
  say(text: string): void {
    if (this.#quiet) return;
    this.#clear();
    process.stderr.write(`${text}\n`);
  }

  /** @param done of total, in any unit; counts from 1. @param now milliseconds. */
  step(what: string, done: number, total: number, now = performance.now()): void {
    if (this.#quiet) return;
    if (done <= 1) this.#started = now;
    const left = done > 1 ? (now - this.#started) / (done - 1) * (total - done) / 1000 : undefined;
    if (this.#terminal) this.#draw(bar(what, done, total, left));
    else if (this.#due(now) || done === total) {
      process.stderr.write(`${line(what, done, total, left)}\n`);
    }
    if (done === total) this.#clear();
  }

  /** The fetching of a model. */
  model(event: ModelProgress): void {
    if (event.kind !== "download") return this.say(event.message);
    const { bytes, totalBytes, files, totalFiles } = event;
    const megabytes = (count: number) => (count / 1e6).toFixed(1);
    const total = totalBytes === undefined ? "" : ` of ${megabytes(totalBytes)}`;
    const text = `Fetching: ${megabytes(bytes)}${total} MB, ${files} of ${totalFiles} files`;
    if (this.#terminal) this.hint(text);
    else if (this.#due()) this.say(text);
  }

  /** A passing remark, redrawn by the next; terminals only. */
  hint(text: string): void {
    if (!this.#quiet && this.#terminal) this.#draw(text);
  }

  /** Leaves the terminal's line empty. */
  end(): void {
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
    process.stderr.write(ESCAPE_LINE + text);
  }

  #clear(): void {
    if (this.#drawn) process.stderr.write(ESCAPE_LINE);
    this.#drawn = false;
  }
}

function bar(what: string, done: number, total: number, left: number | undefined): string {
  const full = Math.round(BAR_WIDTH * done / total);
  return `[${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)}] ${line(what, done, total, left)}`;
}

function line(what: string, done: number, total: number, left: number | undefined): string {
  const time = left === undefined ? "" : `, ${left.toFixed(1)} s left`;
  return `${what} ${done}/${total}${done === total ? "" : time}`;
}
