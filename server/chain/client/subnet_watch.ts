import { AppError, reason } from "../../../core/error.ts";
import type { Metagraph } from "./metagraph.ts";
import type { SubtensorClient } from "./subtensor_client.ts";

type Log = (
  event: string,
  facts: Readonly<Record<string, unknown>>,
  level?: "info" | "warn",
) => void;

/** Blocks after which the subnet is read again. */
const REFRESH_BLOCKS = 25;

/** No fork is that long: the chain was restarted from genesis, as a local node that keeps nothing. */
const RESTART_BLOCKS = 8;

/** A subnet's neurons, read again now and then. */
export class SubnetWatch implements Disposable {
  #metagraph: Metagraph;
  #reading = false;
  readonly #chain: SubtensorClient;
  readonly #log: Log;
  readonly #end: () => void;
  readonly #listeners = new Set<(metagraph: Metagraph) => void>();

  private constructor(chain: SubtensorClient, metagraph: Metagraph, log: Log, every: number) {
    this.#metagraph = metagraph;
    this.#chain = chain;
    this.#log = log;
    const ends = [
      chain.onBlock((block) => {
        const { block: read } = this.#metagraph;
        if (read - block >= RESTART_BLOCKS) {
          log("chain_went_back", { from: read, to: block }, "warn");
        }
        if (block - read >= every || block < read) void this.#read();
      }),
      chain.onConnection((connection) => {
        const { endpoint, block } = chain;
        if (connection.up) log("chain_back", { endpoint, block });
        else log("chain_lost", { endpoint, block, why: connection.why }, "warn");
      }),
    ];
    this.#end = () => ends.forEach((end) => end());
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

  /** Subscribes to each later reading. @returns what ends it. */
  onRead(listener: (metagraph: Metagraph) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As it was some blocks ago. */
  get metagraph(): Metagraph {
    return this.#metagraph;
  }

  /**
   * Reads the subnet again, for what is not as somebody expects it to be: at most once a block.
   * @returns whether what is known is of an earlier block.
   */
  readAgain(): boolean {
    if (this.#chain.block <= this.#metagraph.block) return false;
    void this.#read();
    return true;
  }

  /** @returns undefined for a hotkey that is not registered. */
  uidOf(hotkey: string): number | undefined {
    return this.#metagraph.neurons.find((neuron) => neuron.hotkey === hotkey)?.uid;
  }

  /** What keeps this hotkey from taking part now, as sentences; none when nothing does. */
  problems(hotkey: string): string[] {
    const { connection, netuid } = this.#chain;
    return [
      ...(connection.up ? [] : [`The chain is out of reach: ${connection.why}.`]),
      ...(this.uidOf(hotkey) === undefined
        ? [`The hotkey ${hotkey} is not registered on subnet ${netuid}.`]
        : []),
    ];
  }

  /** @throws AppError `not_registered`. */
  requireRegistered(hotkey: string): void {
    if (this.uidOf(hotkey) !== undefined) return;
    const { netuid } = this.#chain;
    throw new AppError(
      "not_registered",
      `Cannot take part: the hotkey ${hotkey} is not registered on subnet ${netuid}; register it: ` +
        this.#chain.registerCommand(hotkey),
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
      for (const listener of this.#listeners) listener(this.#metagraph);
    } catch (error) {
      this.#log("subnet not read", { error: reason(error) }, "warn");
    } finally {
      this.#reading = false;
    }
  }
}
