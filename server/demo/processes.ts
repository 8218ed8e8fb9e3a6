import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { AppError, throwIfAborted } from "../../core/error.ts";
import { childCommand } from "../runtime/mod.ts";

/** A process of the demonstration. */
export interface DemoProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** The address that it printed; empty for one that is asked by nobody. */
  readonly url: string;
  /** Whether it still runs. */
  readonly running: () => boolean;
}

/** A busy machine takes long; what fails says so by itself. */
const START_MS = 300_000;
const STOP_MS = 10_000;
/** What says that it is there: where it is reached, or that it takes work. */
const READY = /"url":"(http:[^"]+)"|"event":"(?:working|scoring)"/;
/** Lines of a process that are shown when it fails. */
const KEPT_LINES = 12;

/**
 * Starts a command of Stepwise in a process of its own, and waits until it says where it is reached.
 * @param log a file for its lines.
 * @throws AppError `host_failed` with its last lines, or `cancelled`; it is stopped then.
 */
export async function startProcess(
  name: string,
  [script, ...args]: readonly string[],
  log: string,
  signal?: AbortSignal,
): Promise<DemoProcess> {
  throwIfAborted(signal, `start the ${name}`);
  const file = await open(log, "w");
  const child = spawn(...childCommand(script, args), { stdio: ["ignore", "pipe", "pipe"] });
  let running = true;
  const ended = once(child, "exit").then(() => running = false);
  const last: string[] = [];
  const { promise: reached, resolve } = Promise.withResolvers<string | undefined>();
  const read = async (stream: Readable) => {
    for await (const line of createInterface({ input: stream })) {
      last.splice(0, last.length - KEPT_LINES + 1);
      last.push(line);
      await file.write(`${line}\n`);
      const ready = READY.exec(line);
      if (ready) resolve(ready[1] ?? "");
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]).finally(() => file.close());
  const late = Promise.withResolvers<undefined>();
  const giveUp = () => late.resolve(undefined);
  const timer = setTimeout(giveUp, START_MS);
  signal?.addEventListener("abort", giveUp, { once: true });
  const url = await Promise.race([reached, late.promise, ended.then(() => undefined)]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", giveUp);
  const stop = async () => {
    if (running) child.kill("SIGTERM");
    const force = setTimeout(() => running && child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(force);
    await reading;
  };
  const { pid } = child;
  if (url === undefined || pid === undefined) {
    await stop();
    throwIfAborted(signal, `start the ${name}`);
    throw new AppError("host_failed", `Cannot start the ${name}: it says\n${last.join("\n")}`);
  }
  return { name, pid, url, running: () => running, [Symbol.asyncDispose]: stop };
}
