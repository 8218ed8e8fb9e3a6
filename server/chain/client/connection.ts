import { ApiPromise, WsProvider } from "@polkadot/api";
import { AppError, reason } from "../../../core/error.ts";
import { within } from "./within.ts";

export interface Endpoint {
  readonly endpoint: string;
  /** The expected chain, where the network is known. */
  readonly expected?: { readonly genesis: string; readonly network: string };
  readonly timeoutMs: number;
}

/** An open connection: the API, and its bare JSON-RPC. */
export interface ChainLink {
  readonly api: ApiPromise;
  send(method: string, params: readonly unknown[]): Promise<unknown>;
  /** Whether the chain is in reach at this moment. */
  readonly connection: Connection;
  /** @returns what ends it. */
  onConnection(listener: (connection: Connection) => void): () => void;
}

/** Whether the chain is in reach, and where it is not, why. */
export type Connection = { readonly up: true } | { readonly up: false; readonly why: string };

/** Milliseconds between tries after a dropped socket. */
const RECONNECT_MS = 1000;
const NO_FIELDS = { extrinsic: {}, payload: {} };
/** Extensions of the runtime, or of older ones, that add nothing to what is signed. */
const SIGNED_EXTENSIONS = {
  SubtensorSignedExtension: NO_FIELDS,
  CommitmentsSignedExtension: NO_FIELDS,
  SudoTransactionExtension: NO_FIELDS,
  CheckShieldedTxValidity: NO_FIELDS,
  SubtensorTransactionExtension: NO_FIELDS,
  DrandPriority: NO_FIELDS,
};

/**
 * Opens the API over a socket that reconnects and subscribes again by itself.
 * @throws AppError `chain_unreachable`, or `chain_invalid` for another chain.
 */
export async function openLink(
  { endpoint, expected, timeoutMs }: Endpoint,
): Promise<ChainLink> {
  const provider = new SameChainProvider(endpoint, RECONNECT_MS, {}, timeoutMs);
  const api = new ApiPromise({
    provider,
    noInitWarn: true,
    signedExtensions: SIGNED_EXTENSIONS,
  });
  try {
    await within(Promise.race([api.isReadyOrError, refused(provider)]), timeoutMs, doing(endpoint));
    checkChain(api, endpoint, expected);
    provider.holdTo(api.genesisHash.toHex());
    return {
      api,
      send: (method, params) => provider.send(method, [...params]),
      get connection() {
        return provider.connection;
      },
      onConnection: (listener) => provider.onConnection(listener),
    };
  } catch (cause) {
    // An answer that comes late must not end the process.
    api.isReadyOrError.catch(() => {});
    await api.disconnect().catch(() => {});
    if (cause instanceof AppError) throw cause;
    const why = reason(cause) || "its node does not answer";
    throw new AppError(
      "chain_unreachable",
      `Cannot ${doing(endpoint)}: ${why}; is a node there? (--subtensor.chain_endpoint)`,
      { cause },
    );
  }
}

function doing(endpoint: string): string {
  return `connect to the chain at ${endpoint}`;
}

/** Rejects when the first try to connect fails, so that a wrong address fails at once. */
function refused(provider: WsProvider): Promise<never> {
  return new Promise((_, reject) => {
    provider.on("error", () => reject(new Error("no connection")));
  });
}

const RUNTIME_VERSION = "state_subscribeRuntimeVersion";

function never(): Promise<never> {
  return new Promise(() => {});
}

type SubscribeParameters = Parameters<WsProvider["subscribe"]>;

/**
 * A socket that, when it opens again, must lead to the same chain, and renews its
 * subscriptions.
 */
class SameChainProvider extends WsProvider {
  /** All subscriptions so far, by their callbacks. */
  readonly #followed = new WeakSet<SubscribeParameters[3]>();
  #genesis: string | undefined;
  #closed = false;
  /** Of the socket that is open. */
  #checked: Promise<void> | undefined;
  readonly #listeners = new Set<(connection: Connection) => void>();
  #connection: Connection = { up: true };

  get connection(): Connection {
    return this.#connection;
  }

  holdTo(genesis: string): void {
    this.#genesis = genesis;
    this.#checked = Promise.resolve();
    this.on("disconnected", () => {
      this.#checked = undefined;
      this.#change({ up: false, why: `the node at ${this.endpoint} does not answer` });
    });
    this.on("connected", () => void this.#takeUp(genesis));
  }

  onConnection(listener: (connection: Connection) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A socket that is open again may lead to another chain. */
  async #takeUp(genesis: string): Promise<void> {
    try {
      await (this.#checked ??= this.#check(genesis));
      this.#change({ up: true });
    } catch (error) {
      if (error instanceof AppError) this.#change({ up: false, why: error.message });
    }
  }

  /** Notices of each try, once. */
  #change(connection: Connection): void {
    const before = this.#connection;
    const same = before.up ? connection.up : !connection.up && connection.why === before.why;
    if (same || this.#closed) return;
    this.#connection = connection;
    for (const listener of this.#listeners) listener(connection);
  }

  /**
   * Keeps no answer: one that was wrong would come again.
   * @throws AppError `chain_invalid` when another chain is behind the address now.
   */
  override async send<T>(
    ...[method, params, _, subscription]: Parameters<WsProvider["send"]>
  ): Promise<T> {
    if (this.#genesis) await (this.#checked ??= this.#check(this.#genesis));
    return await super.send<T>(method, params, false, subscription);
  }

  /**
   * polkadot forgets a subscription whose renewal fails, as when the socket drops again; and its own,
   * to the runtime's version, which it renews on each socket, would end the process.
   */
  override async subscribe(...call: SubscribeParameters): Promise<number | string> {
    const [, , , callback] = call;
    try {
      const id = await super.subscribe(...call);
      this.#followed.add(callback);
      return id;
    } catch (error) {
      if (this.#genesis && call[1] === RUNTIME_VERSION) return await never();
      if (this.#followed.has(callback) && !this.#closed) {
        setTimeout(() => this.subscribe(...call).catch(() => {}), RECONNECT_MS);
      }
      throw error;
    }
  }

  override async disconnect(): Promise<void> {
    this.#closed = true;
    await super.disconnect();
  }

  async #check(genesis: string): Promise<void> {
    let found: unknown;
    try {
      found = await super.send("chain_getBlockHash", [0]);
    } catch (error) {
      this.#checked = undefined;
      throw error;
    }
    if (found === genesis) return;
    throw new AppError(
      "chain_invalid",
      `Cannot go on with the chain at ${this.endpoint}: its genesis is ${found} now, and was ` +
        `${genesis}; restart with the right chain`,
    );
  }
}

function checkChain(
  api: ApiPromise,
  endpoint: string,
  expected: Endpoint["expected"],
): void {
  if (expected && api.genesisHash.toHex() !== expected.genesis) {
    throw new AppError(
      "chain_invalid",
      `Cannot use the chain at ${endpoint}: its genesis is ${api.genesisHash.toHex()}, ` +
        `not that of ${expected.network}; --subtensor.network names another`,
    );
  }
  if (!api.query.subtensorModule) {
    throw new AppError(
      "chain_invalid",
      `Cannot use the chain at ${endpoint}: its runtime has no SubtensorModule`,
    );
  }
}
