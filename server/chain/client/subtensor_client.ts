import type { KeyringPair } from "@polkadot/keyring/types";
import { AppError } from "../../../core/error.ts";
import { checkServable, parseIp } from "./address.ts";
import { BlockClock } from "./block_clock.ts";
import { BlockReader, type ChainEvent } from "./block_reader.ts";
import { type ChainLink, type Connection, type Endpoint, openLink } from "./connection.ts";
import { storageItem } from "./decode.ts";
import { misread } from "./lost.ts";
import { type Metagraph, READING } from "./metagraph.ts";
import { readMetagraph } from "./read_metagraph.ts";
import { type NetworkName, NETWORKS } from "./networks.ts";
import { registerCommand } from "./registering.ts";
import { TransferSender } from "./signed_transfers.ts";
import { type Inclusion, Submitter } from "./submitter.ts";
import {
  type HashCommit,
  type Reveal,
  type WeightsOutcome,
  WeightsSetter,
  type WeightsToSet,
} from "./weights.ts";
import { within } from "./within.ts";

export interface ChainOptions {
  /** The only chain accepted; undefined for whichever is at the endpoint, or else finney. */
  readonly network?: NetworkName;
  /** Instead of the network's own. */
  readonly endpoint?: string;
  readonly netuid: number;
  /** Milliseconds for each answer. */
  readonly timeoutMs?: number;
}

export interface AxonToServe {
  /** As others reach it. */
  readonly ip: string;
  readonly port: number;
  readonly version?: number;
}

const TIMEOUT_MS = 30_000;
const CLOCK_TOLERANCE_MS = 20_000;
/** What bittensor's axons state. */
const PROTOCOL = 4;

/** `TimelockedWeightsRevealed(netuid_index, who)`. */
function reveals({ section, method, data }: ChainEvent, index: number, hotkey: string): boolean {
  return section === "subtensorModule" && method === "TimelockedWeightsRevealed" &&
    Number(data[0]) === index && String(data[1]) === hotkey;
}

function whereabouts(
  { network, endpoint }: ChainOptions,
): Pick<Endpoint, "endpoint" | "expected"> {
  if (endpoint !== undefined && network === undefined) return { endpoint };
  const name = network ?? "finney";
  const { endpoint: usual, genesis } = NETWORKS[name];
  return { endpoint: endpoint ?? usual, expected: genesis && { genesis, network: name } };
}

/** One subnet of a subtensor chain, over one socket. */
export class SubtensorClient implements AsyncDisposable {
  readonly netuid: number;
  readonly endpoint: string;
  /** `Live`, `Development`, `Local` or a name of its own, as the node states it. */
  readonly chainType: string;
  /** Of many at once, in steps that outlive a crash. */
  readonly transfers: TransferSender;
  readonly #link: ChainLink;
  readonly #clock: BlockClock;
  readonly #submitter: Submitter;
  readonly #weights: WeightsSetter;
  readonly #blocks: BlockReader;
  readonly #timeoutMs: number;

  private constructor(
    options: ChainOptions,
    { endpoint, chainType, link, clock }: {
      readonly endpoint: string;
      readonly chainType: string;
      readonly link: ChainLink;
      readonly clock: BlockClock;
    },
  ) {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.netuid = options.netuid;
    this.endpoint = endpoint;
    this.chainType = chainType;
    this.#link = link;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#blocks = new BlockReader(link, clock, timeoutMs);
    this.#submitter = new Submitter({ link, clock, blocks: this.#blocks, timeoutMs });
    this.transfers = new TransferSender({ link, clock, blocks: this.#blocks, timeoutMs });
    this.#weights = new WeightsSetter({
      link,
      clock,
      submitter: this.#submitter,
      netuid: options.netuid,
      timeoutMs,
    });
  }

  /** @throws AppError `chain_unreachable`, `chain_invalid`. */
  static async connect(options: ChainOptions): Promise<SubtensorClient> {
    const { timeoutMs = TIMEOUT_MS } = options;
    const { endpoint, expected } = whereabouts(options);
    const link = await openLink({ endpoint, expected, timeoutMs });
    try {
      const clock = await BlockClock.start(link, timeoutMs);
      const chainType = String(await link.send("system_chainType", []));
      return new SubtensorClient(options, { endpoint, chainType, link, clock });
    } catch (cause) {
      await link.api.disconnect();
      throw misread(`connect to the chain at ${endpoint}`, cause);
    }
  }

  /** The command that registers a hotkey here. */
  registerCommand(hotkey: string): string {
    const { netuid, endpoint } = this;
    const chain = this.#link.api.runtimeChain.toString();
    return registerCommand({ chain, netuid, endpoint, hotkey });
  }

  /** The newest block seen. */
  get block(): number {
    return this.#clock.block;
  }

  /** Whether the chain is in reach, and makes blocks. */
  get connection(): Connection {
    const { connection } = this.#link;
    if (!connection.up || !this.#clock.stale) return connection;
    const seconds = Math.round(this.#clock.sinceBlockMs / 1000);
    return { up: false, why: `no block came for ${seconds} s` };
  }

  /** Emits when the chain is lost, and when it is back. @returns what ends it. */
  onConnection(listener: (connection: Connection) => void): () => void {
    return this.#link.onConnection(listener);
  }

  /** Milliseconds from block to block. */
  get blockMs(): number {
    return this.#clock.blockMs;
  }

  /** Outlives a dropped socket. @returns what ends it. */
  onBlock(listener: (block: number, hash: string) => void): () => void {
    return this.#clock.onBlock(listener);
  }

  blockHash(block: number): Promise<string> {
    return this.#clock.hashOf(block, "read a block's hash");
  }

  /**
   * Signed requests and drand's rounds go by the clock.
   * @throws AppError `clock_wrong` when this machine's is not the chain's.
   */
  async checkClock(now: () => number = Date.now): Promise<void> {
    const doing = "read the chain's time";
    const reading = within(this.#link.api.query.timestamp.now(), this.#timeoutMs, doing);
    const moment = await reading.catch((cause) => {
      throw misread(doing, cause);
    });
    const skew = now() - Number(moment.toString());
    if (skew > -CLOCK_TOLERANCE_MS && skew < CLOCK_TOLERANCE_MS + 3 * this.blockMs) return;
    const seconds = Math.round(Math.abs(skew) / 1000);
    throw new AppError(
      "clock_wrong",
      `Cannot take part: this machine's clock is ${seconds} s ${
        skew > 0 ? "ahead of" : "behind"
      } ` +
        "the chain's newest block; set it by NTP (timedatectl set-ntp true), or see whether the " +
        "chain stands still",
    );
  }

  /** @throws AppError `invalid_request` for a subnet that is not there, `chain_unreachable`. */
  metagraph(): Promise<Metagraph> {
    const reading = readMetagraph(this.#link, this.netuid, this.#clock.head);
    return within(reading, this.#timeoutMs, READING);
  }

  /** @throws AppError as {@link Submitter.submit}; `invalid_request` for an unfit address. */
  async serveAxon({ ip, port, version = 1 }: AxonToServe, key: KeyringPair): Promise<Inclusion> {
    const address = parseIp(ip);
    checkServable(address, port);
    const call = () =>
      this.#link.api.tx.subtensorModule.serveAxon(
        this.netuid,
        version,
        address.ip,
        port,
        address.type,
        PROTOCOL,
        0,
        0,
      );
    return await this.#submitter.submit(call, key, "serve the axon");
  }

  /** How many things the subnet pays for, each by weights of its own. */
  mechanisms(): Promise<number> {
    return this.#weights.mechanisms();
  }

  /** In the way that the subnet demands: at once, or committed until a round of drand. */
  async setWeights(weights: WeightsToSet, key: KeyringPair): Promise<WeightsOutcome> {
    return await this.#weights.set(weights, key, await this.metagraph());
  }

  /**
   * Whether the chain did reveal weights that were committed: it sends no notice when it does not, as
   * for a hotkey that lost its permit.
   * @returns the block that did; undefined when none did until the commit was void.
   * @throws AppError `chain_unreachable`, `chain_invalid`, `cancelled` when the client is closed.
   */
  async weightsRevealed(reveal: Reveal, hotkey: string): Promise<number | undefined> {
    const doing = "see the weights revealed";
    for (let block = reveal.from; block <= reveal.until; block++) {
      await this.#clock.reached(block, doing);
      const events = await this.#blocks.events(await this.#blocks.read(block, doing), doing);
      if (events.some(({ event }) => reveals(event, reveal.index, hotkey))) return block;
    }
    return undefined;
  }

  /**
   * For subnets that reveal by hand. Keep it before it is sent: without its salt nothing that was
   * committed can be revealed.
   */
  hashCommit(weights: WeightsToSet, hotkey: string): HashCommit {
    return this.#weights.hashCommit(weights, hotkey);
  }

  commitWeights({ hash }: HashCommit, key: KeyringPair): Promise<Inclusion> {
    const call = () => this.#link.api.tx.subtensorModule.commitWeights(this.netuid, hash);
    return this.#submitter.submit(call, key, "commit weights");
  }

  revealWeights(commit: HashCommit, key: KeyringPair): Promise<Inclusion> {
    return this.#weights.reveal(commit, key);
  }

  /** Pays the burn and gives the hotkey a uid. @param coldkey pays. */
  register(hotkey: string, coldkey: KeyringPair): Promise<Inclusion> {
    const call = () => this.#link.api.tx.subtensorModule.burnedRegister(this.netuid, hotkey);
    return this.#submitter.submit(call, coldkey, "register the hotkey");
  }

  /** @param rao of TAO. */
  addStake(hotkey: string, rao: bigint, coldkey: KeyringPair): Promise<Inclusion> {
    const call = () => this.#link.api.tx.subtensorModule.addStake(hotkey, this.netuid, rao);
    return this.#submitter.submit(call, coldkey, "add stake");
  }

  transfer(to: string, rao: bigint, from: KeyringPair): Promise<Inclusion> {
    const call = () => this.#link.api.tx.balances.transferKeepAlive(to, rao);
    return this.#submitter.submit(call, from, "transfer TAO");
  }

  /** Puts a hash under the hotkey's name: what it had before is gone from the newest state. */
  setCommitment(sha256: Uint8Array, hotkey: KeyringPair): Promise<Inclusion> {
    const info = { fields: [{ Sha256: sha256 }] };
    const call = () => this.#link.api.tx.commitments.setCommitment(this.netuid, info);
    return this.#submitter.submit(call, hotkey, "commit to a hash");
  }

  /**
   * The hash that a hotkey committed to last, in hex; undefined for none, or what is no hash.
   * @throws AppError `chain_unreachable`, `chain_invalid`.
   */
  async commitmentOf(hotkey: string): Promise<string | undefined> {
    const doing = "read a commitment";
    const item = storageItem(this.#link.api.query, "commitments", "commitmentOf", doing);
    const asked = within(item(this.netuid, hotkey), this.#timeoutMs, doing);
    const found = await asked.catch((cause) => {
      throw misread(doing, cause);
    });
    const commitment = found.toJSON() as {
      readonly info: { readonly fields: readonly { readonly sha256?: string }[] };
    } | null;
    return commitment?.info.fields.find(({ sha256 }) => sha256)?.sha256?.slice(2);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clock[Symbol.dispose]();
    await this.#link.api.disconnect();
  }
}
