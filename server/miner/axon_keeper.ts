import { reason } from "../../core/error.ts";
import type { Axon, Metagraph, SubnetWatch, SubtensorClient, Wallet } from "../chain/mod.ts";
import type { Log } from "../telemetry/mod.ts";

interface AxonKeeperParts {
  readonly chain: Pick<SubtensorClient, "serveAxon">;
  readonly subnet: Pick<SubnetWatch, "metagraph" | "onRead">;
  readonly wallet: Wallet;
  readonly axon: Pick<Axon, "ip" | "port">;
  readonly log: Log;
}

/** Serves an axon, and serves it again where the chain no longer has it, as after a restart from genesis. */
export class AxonKeeper implements Disposable {
  readonly #parts: AxonKeeperParts;
  readonly #end: () => void;
  #serving = false;

  private constructor(parts: AxonKeeperParts) {
    this.#parts = parts;
    this.#end = parts.subnet.onRead((metagraph) => void this.#look(metagraph));
  }

  /** @throws AppError as `SubtensorClient.serveAxon`. */
  static async start(parts: AxonKeeperParts): Promise<AxonKeeper> {
    const { subnet, wallet, axon } = parts;
    const own = axonOf(subnet.metagraph, wallet.hotkey.address);
    const keeper = new AxonKeeper(parts);
    try {
      if (own?.ip !== axon.ip || own.port !== axon.port) await keeper.#serve();
      return keeper;
    } catch (error) {
      keeper[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  /** Another address than ours is left alone: another process may serve it. */
  async #look(metagraph: Metagraph): Promise<void> {
    const { wallet, log } = this.#parts;
    const { address } = wallet.hotkey;
    if (this.#serving || axonOf(metagraph, address)) return;
    if (!metagraph.neurons.some(({ hotkey }) => hotkey === address)) {
      return log("axon not served", { why: `the hotkey ${address} is not registered any more` });
    }
    try {
      await this.#serve();
    } catch (error) {
      log("axon not served", { why: reason(error) });
    }
  }

  async #serve(): Promise<void> {
    const { chain, wallet, axon, log } = this.#parts;
    this.#serving = true;
    try {
      const { block } = await chain.serveAxon(axon, wallet.pair);
      log("axon served", { ...axon, block });
    } finally {
      this.#serving = false;
    }
  }
}

function axonOf({ neurons }: Metagraph, address: string): Axon | undefined {
  return neurons.find(({ hotkey }) => hotkey === address)?.axon;
}
