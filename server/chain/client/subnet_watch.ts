import { AppError, reason } from "../../../core/error.ts";
import type { Metagraph } from "./metagraph.ts";
import type { SubtensorClient } from "./subtensor_client.ts";

type Log = (event: string, facts: Readonly<Record<string, unknown>>) => void;

/** Blocks after which the subnet is read again. */
const REFRESH_BLOCKS = 25;

/** Who is on a subnet, read again now and then. */
export class SubnetWatch implements Disposable {
  #metagraph: Metagraph;
  #reading = false;
  readonly #chain: SubtensorClient;
  readonly #log: Log;
  readonly #end: () => void;

  private constructor(chain: SubtensorClient, metagraph: Metagraph, log: Log, every: number) {
    this.#metagraph = metagraph;
    this.#chain = chain;
    this.#log = log;
    this.#end = chain.onBlock((block) => {
      if (block - this.#metagraph.block >= every) void this.#read();
    });
  }

  /** @throws AppError as `SubtensorClient.metagraph` and `SubtensorClient.checkClock`. */
  static async open(
    chain: SubtensorClient,
    log: Log,
    everyBlocks = REFRESH_BLOCKS,
  ): Promise<SubnetWatch> {
    const [metagraph] = await Promise.all([chain.metagraph(), chain.checkClock()]);
    return new SubnetWatch(chain, metagraph, log, everyBlocks);
  }

  /** As it was some blocks ago. */
  get metagraph(): Metagraph {
    return this.#metagraph;
  }

  /** @throws AppError `not_registered`. */
  requireRegistered(hotkey: string): void {
    if (this.#metagraph.neurons.some((neuron) => neuron.hotkey === hotkey)) return;
    const { netuid } = this.#chain;
    throw new AppError(
      "not_registered",
      `Cannot take part: the hotkey ${hotkey} is not registered on subnet ${netuid}; register it: ` +
        `btcli subnets register --netuid ${netuid}`,
    );
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      this.#metagraph = await this.#chain.metagraph();
    } catch (error) {
      this.#log("subnet not read", { error: reason(error) });
    } finally {
      this.#reading = false;
    }
  }
}
