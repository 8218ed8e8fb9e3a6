import { type ImageEngine, RecoveringEngine } from "../../core/generation/mod.ts";
import type { LoadOptions } from "../../core/inference/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import { RemoteEngine, RenewedChannel } from "../../core/remote/mod.ts";
import { type ChromeProgram, locateChrome } from "./chrome_path.ts";
import { ChromeServer } from "./chrome_server.ts";
import { ChromeSession } from "./chrome_session.ts";
import type { ComputeHost } from "./host.ts";

export interface ChromeOptions {
  /** A Chrome or Chromium, before every other one. */
  readonly chromePath?: string;
}

/**
 * Headless Chrome as a compute host. A Chrome that fails (killed, crashed, its GPU lost, or a run
 * failed in it, as when memory runs out) is replaced by a fresh one, and the run that it failed is
 * done once more there, from its start. The caller gets each leaf and each step once; a
 * repeated leaf that differs is an error.
 */
export class ChromeHost implements ComputeHost {
  readonly name: string;
  readonly reason: string;
  readonly #server: ChromeServer;
  readonly #sessions: RenewedChannel<ChromeSession>;

  private constructor(program: ChromeProgram, server: ChromeServer, session: ChromeSession) {
    const { name, software } = session.device;
    this.name = `${session.version} on ${name}`;
    this.reason = "chosen by --compute chrome" +
      (software ? `; its only adapter, ${name}, is software: slow` : "");
    this.#server = server;
    this.#sessions = new RenewedChannel(session, () => ChromeSession.start(program, server));
  }

  /** @throws AppError `host_unavailable`: no Chrome, one that is too old, or one without WebGPU. */
  static async start({ chromePath }: ChromeOptions = {}): Promise<ChromeHost> {
    const program = await locateChrome(chromePath);
    const server = await ChromeServer.start();
    try {
      return new ChromeHost(program, server, await ChromeSession.start(program, server));
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  async open(files: ModelFiles, options: LoadOptions = {}): Promise<ImageEngine> {
    return await RecoveringEngine.start(async () =>
      await RemoteEngine.open(await this.session(), this.#server.serve(files), options)
    );
  }

  /** The Chrome that is running, or a fresh one. */
  session(): Promise<ChromeSession> {
    return this.#sessions.get();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
