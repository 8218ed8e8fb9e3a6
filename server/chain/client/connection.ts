import { ApiPromise, WsProvider } from "@polkadot/api";
import { AppError, reason } from "../../../core/error.ts";
import { within } from "./within.ts";

export interface Endpoint {
  readonly endpoint: string;
  /** The chain's first block, if it is known. */
  readonly genesis?: string;
  readonly network: string;
  readonly timeoutMs: number;
}

/** An open connection: the API, and its bare JSON-RPC. */
export interface ChainLink {
  readonly api: ApiPromise;
  send(method: string, params: readonly unknown[]): Promise<unknown>;
}

/** Milliseconds between tries after a dropped socket. */
const RECONNECT_MS = 1000;
const NO_FIELDS = { extrinsic: {}, payload: {} };
/** Extensions of the runtime that add nothing to what is signed. */
const SIGNED_EXTENSIONS = {
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
  { endpoint, genesis, network, timeoutMs }: Endpoint,
): Promise<ChainLink> {
  const provider = new WsProvider(endpoint, RECONNECT_MS, {}, timeoutMs);
  const api = new ApiPromise({
    provider,
    noInitWarn: true,
    signedExtensions: SIGNED_EXTENSIONS,
  });
  try {
    await within(Promise.race([api.isReadyOrError, refused(provider)]), timeoutMs, doing(endpoint));
    checkChain(api, endpoint, network, genesis);
    return { api, send: (method, params) => provider.send(method, [...params]) };
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

/** Rejects when the first try to connect fails: nobody waits for an address that is wrong. */
function refused(provider: WsProvider): Promise<never> {
  return new Promise((_, reject) => {
    provider.on("error", () => reject(new Error("no connection")));
  });
}

function checkChain(
  api: ApiPromise,
  endpoint: string,
  network: string,
  genesis: string | undefined,
): void {
  if (genesis && api.genesisHash.toHex() !== genesis) {
    throw new AppError(
      "chain_invalid",
      `Cannot use the chain at ${endpoint}: its genesis is ${api.genesisHash.toHex()}, ` +
        `not that of ${network}`,
    );
  }
  if (!api.query.subtensorModule) {
    throw new AppError(
      "chain_invalid",
      `Cannot use the chain at ${endpoint}: its runtime has no SubtensorModule`,
    );
  }
}
