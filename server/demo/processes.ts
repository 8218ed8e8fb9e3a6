import { AppError, throwIfAborted } from "../../core/error.ts";

/** A process of the demonstration. */
export interface DemoProcess extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  /** The address that it printed. */
  readonly url: string;
  /** Whether it still runs. */
  readonly running: () => boolean;
}

const START_MS = 90_000;
const STOP_MS = 10_000;
/** Lines of a process that are shown when it fails. */
const KEPT_LINES = 12;

/**
 * Starts a command of Stepwise in a process of its own, and waits until it says where it is reached.
 * @param log a file for its lines.
 * @throws AppError `host_failed` with its last lines, or `cancelled`; it is stopped then.
 */
export async function startProcess(
  name: string,
  args: readonly string[],
  log: string,
  signal?: AbortSignal,
): Promise<DemoProcess> {
  throwIfAborted(signal, `start the ${name}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let running = true;
  const ended = child.status.then((status) => {
    running = false;
    return status;
  });
  const file = await Deno.open(log, { write: true, create: true, truncate: true });
  const last: string[] = [];
  const { promise: reached, resolve } = Promise.withResolvers<string>();
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const line of linesOf(stream)) {
      last.splice(0, last.length - KEPT_LINES + 1);
      last.push(line);
      await file.write(new TextEncoder().encode(`${line}\n`));
      const url = / at (http:\/\/\S+)$/.exec(line)?.[1];
      if (url) resolve(url);
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]).finally(() => file.close());
  const late = Promise.withResolvers<string>();
  const giveUp = () => late.resolve("");
  const timer = setTimeout(giveUp, START_MS);
  signal?.addEventListener("abort", giveUp, { once: true });
  const url = await Promise.race([reached, late.promise, ended.then(() => "")]);
  clearTimeout(timer);
  signal?.removeEventListener("abort", giveUp);
  const stop = async () => {
    if (running) child.kill("SIGTERM");
    const force = setTimeout(() => running && child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(force);
    await reading;
  };
  if (url === "") {
    await stop();
    throwIfAborted(signal, `start the ${name}`);
    throw new AppError("host_failed", `Cannot start the ${name}: it says\n${last.join("\n")}`);
  }
  return { name, pid: child.pid, url, running: () => running, [Symbol.asyncDispose]: stop };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}
