import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import process from "node:process";
import { AppError } from "../../core/error.ts";

/** A nats-server of this process' own. */
export interface OwnServer extends AsyncDisposable {
  /** nats://127.0.0.1:port */
  readonly url: string;
}

const START_MS = 30_000;
const LOOK_MS = 50;

/**
 * Starts nats-server, `NATS_SERVER` or the installed one, on a free port of this machine.
 * @param folder of what it keeps.
 * @throws AppError `host_unavailable` where there is none, or it does not start.
 */
export async function startNatsServer(folder: string): Promise<OwnServer> {
  const program = process.env.NATS_SERVER ?? "nats-server";
  const port = await freePort();
  const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder];
  const child = spawn(program, args, { stdio: "ignore" });
  let ended: unknown;
  child.on("error", (error) => ended = error);
  child.on("exit", (code) => ended ??= `it ended with ${code}`);
  const end = performance.now() + START_MS;
  while (!await answers(port)) {
    if (ended === undefined && performance.now() < end) continue;
    child.kill("SIGKILL");
    const why = ended === undefined ? "it does not answer" : String(ended);
    throw new AppError(
      "host_unavailable",
      `Cannot start ${program}: ${why}; install nats-server, or set NATS_SERVER to one`,
    );
  }
  const stop = async () => {
    if (ended !== undefined) return;
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    await exit;
  };
  return { url: `nats://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const there = await once(socket, "data").then(() => true, () => false);
  socket.destroy();
  if (!there) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  return there;
}
