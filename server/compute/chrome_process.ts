import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import type { Browser } from "puppeteer";
import { AppError, reason } from "../../core/error.ts";
import { checkChromeVersion, chromeFlags } from "./chrome_flags.ts";
import type { ChromeProgram } from "./chrome_path.ts";
import { pipeTransport } from "./chrome_pipe.ts";
import { type ChromeProfile, makeProfile } from "./chrome_profile.ts";

const START_MS = 30_000;
const CLOSE_MS = 5_000;
/** Of Chrome's last lines on stderr. */
const TAIL_LINES = 6;
/** What every Chrome without a desktop says. */
const NOISE = /dbus|DevTools listening|XDG_RUNTIME_DIR|google_apis|^\s*$/i;

/**
 * A running headless Chrome with a profile of its own. It ends with our process, however that
 * ends: its DevTools pipes close then.
 */
export class ChromeProcess implements AsyncDisposable {
  /** In words, once it has ended: "Chrome was killed by SIGKILL". */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #profile: ChromeProfile;
  readonly #tail: string[] = [];
  readonly #onExit = () => this.#endNow();
  #browser: Browser | undefined;

  private constructor(child: ChildProcess, profile: ChromeProfile) {
    this.#child = child;
    this.#profile = profile;
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(`Chrome did not start (${reason(error)})`));
      child.once(
        "exit",
        (code, signal) =>
          resolve(signal ? `Chrome was killed by ${signal}` : `Chrome ended with code ${code}`),
      );
    });
    child.stderr?.on("data", (chunk) => this.hear(String(chunk)));
    process.on("exit", this.#onExit);
  }

  /** @throws AppError `host_unavailable` with Chrome's own words, or for one that is too old. */
  static async start(program: ChromeProgram): Promise<ChromeProcess> {
    const { default: puppeteer } = await import("puppeteer");
    const profile = await makeProfile();
    const args = await puppeteer.defaultArgs({
      args: [...chromeFlags(), "--remote-debugging-pipe"],
      userDataDir: profile.path,
    });
    const child = spawn(program.path, args, {
      env: { ...process.env, ...program.env },
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      // A group of its own: a Ctrl-C in the terminal is ours to handle.
      detached: process.platform !== "win32",
    });
    const chrome = new ChromeProcess(child, profile);
    try {
      const transport = pipeTransport(child.stdio[3] as Writable, child.stdio[4] as Readable);
      const connected = puppeteer.connect({ transport, defaultViewport: null });
      chrome.#browser = await chrome.#within(START_MS, connected);
      checkChromeVersion(await chrome.browser.version(), program.path);
      return chrome;
    } catch (cause) {
      await chrome[Symbol.asyncDispose]();
      if (cause instanceof AppError) throw cause;
      const words = `Cannot start Chrome (${program.path}): ${reason(cause)}${chrome.lastWords()}`;
      throw new AppError("host_unavailable", words, { cause });
    }
  }

  get browser(): Browser {
    if (this.#browser) return this.#browser;
    throw new AppError("host_failed", "Cannot use Chrome: it is not connected");
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Adds to its last words. */
  hear(lines: string): void {
    this.#tail.push(...lines.split("\n"));
    this.#tail.splice(0, this.#tail.length - 10 * TAIL_LINES);
  }

  /** What stderr and the console said last, as the end of a sentence; empty for nothing. */
  lastWords(): string {
    const lines = this.#tail.filter((line) => !NOISE.test(line)).slice(-TAIL_LINES);
    return lines.length ? `. It said: ${lines.map((line) => line.trim()).join(" / ")}` : "";
  }

  /** Closes Chrome, by force when it does not close. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.off("exit", this.#onExit);
    const closed = this.#browser?.close() ?? Promise.reject(new Error("it is not connected"));
    await this.#within(CLOSE_MS, closed.then(() => this.ended)).catch(() => this.#kill());
    await this.ended;
    await this.#profile[Symbol.asyncDispose]();
  }

  /** Kills Chrome at once, for a process that ends. */
  #endNow(): void {
    this.#kill();
    try {
      this.#profile.remove();
    } catch {
      // Chrome's children are still writing: the next start sweeps.
    }
  }

  #kill(): void {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    try {
      process.kill(process.platform === "win32" ? this.#child.pid : -this.#child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }

  async #within<T>(ms: number, work: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not answer in ${ms / 1000} s`)), ms);
    });
    const ended = this.ended.then((how) => Promise.reject(new Error(how)));
    try {
      // The work fails when Chrome ends, and then Chrome's end is the better explanation.
      return await Promise.race([work.catch((error) => orSoon(ended, error)), late, ended]);
    } finally {
      clearTimeout(timer);
      ended.catch(() => {});
    }
  }
}

/** Fails as `better` does if that is within a moment, else with the error. */
async function orSoon(better: Promise<never>, error: unknown): Promise<never> {
  const moment = new Promise((resolve) => setTimeout(resolve, 500));
  await Promise.race([better, moment]);
  throw error;
}
