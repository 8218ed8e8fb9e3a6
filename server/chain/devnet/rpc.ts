import { u8aToHex } from "@polkadot/util";
import { DEVNET_NAME } from "../client/mod.ts";
import type { Block, Chain } from "./chain.ts";
import { PoolRefusal } from "./refusal.ts";
import { callRuntime, type Moment } from "./runtime_api.ts";

/** A subscription's messages to its socket. */
export type Push = (method: string, result: unknown) => void;
type Parameters = readonly unknown[];
type Method = (chain: Chain, parameters: Parameters) => unknown;

/** An error of JSON-RPC. */
class RpcError extends Error {
  constructor(readonly code: number, message: string, readonly data?: unknown) {
    super(message);
  }
}

/** Methods that answer once. */
const METHODS: Readonly<Record<string, Method>> = {
  system_chain: () => DEVNET_NAME,
  system_name: () => DEVNET_NAME,
  system_version: () => "1.0.0",
  system_chainType: () => "Development",
  system_properties: () => ({ ss58Format: 42, tokenDecimals: 9, tokenSymbol: "TAO" }),
  system_health: () => ({ peers: 0, isSyncing: false, shouldHavePeers: false }),
  system_syncState: ({ head }) => ({
    startingBlock: 0,
    currentBlock: head.number,
    highestBlock: head.number,
  }),
  system_accountNextIndex: (chain, [address]) => chain.nextNonce(String(address)),
  chain_getBlockHash: (chain, [number]) =>
    number === undefined || number === null ? chain.head.hash : hashOf(chain, number),
  chain_getFinalizedHead: ({ head }) => head.hash,
  chain_getHeader: (chain, [hash]) => headerOf(at(chain, hash)),
  chain_getBlock: (chain, [hash]) => {
    const block = at(chain, hash);
    return {
      block: { header: headerOf(block), extrinsics: block.extrinsics },
      justifications: null,
    };
  },
  state_getMetadata: (chain, [hash]) => u8aToHex(momentAt(chain, hash).runtime.metadata),
  state_getRuntimeVersion: (chain, [hash]) => momentAt(chain, hash).runtime.version.toJSON(),
  state_getStorage: (chain, [key, hash]) =>
    chain.state.raw(hex(key), numberAt(chain, hash)) ?? null,
  state_getStorageHash: () => null,
  state_getStorageSize: (chain, [key, hash]) => {
    const value = chain.state.raw(hex(key), numberAt(chain, hash));
    return value === undefined ? null : (value.length - 2) / 2;
  },
  state_queryStorageAt: (chain, [keys, hash]) => {
    const changes = valuesOf(chain, keys, numberAt(chain, hash));
    return [{ block: at(chain, hash).hash, changes }];
  },
  state_getKeysPaged: (chain, [prefix, count, after, hash]) =>
    chain.state.keys(hex(prefix), numberAt(chain, hash))
      .filter((key) => !after || key > String(after)).slice(0, Math.min(Number(count), 1000)),
  state_getKeys: (chain, [prefix, hash]) => chain.state.keys(hex(prefix), numberAt(chain, hash)),
  state_call: (chain, [name, data, hash]) => {
    const result = callRuntime(momentAt(chain, hash), String(name), hex(data));
    if (result !== undefined) return result;
    throw new RpcError(4003, `Client error: Execution failed: ${name} is not exported`);
  },
  author_pendingExtrinsics: (chain) => chain.pending,
  author_submitExtrinsic: (chain, [extrinsic]) => chain.submit(hex(extrinsic)),
};

const ALIASES: Readonly<Record<string, string>> = {
  chain_getHead: "chain_getBlockHash",
  chain_getFinalisedHead: "chain_getFinalizedHead",
  state_getStorageAt: "state_getStorage",
  state_getKeysPagedAt: "state_getKeysPaged",
  chain_getRuntimeVersion: "state_getRuntimeVersion",
  account_nextIndex: "system_accountNextIndex",
};

/** Subscriptions. @returns what ends them. */
type Subscription = (chain: Chain, parameters: Parameters, push: Push) => () => void;

const SUBSCRIPTIONS: Readonly<Record<string, Subscription>> = {
  chain_subscribeNewHeads: heads("chain_newHead"),
  chain_subscribeNewHead: heads("chain_newHead"),
  chain_subscribeAllHeads: heads("chain_allHead"),
  chain_subscribeFinalizedHeads: heads("chain_finalizedHead"),
  state_subscribeRuntimeVersion: (chain, _, push) => {
    const notify = () => push("state_runtimeVersion", chain.runtime.version.toJSON());
    notify();
    return chain.onUpgrade(notify);
  },
  state_subscribeStorage: (chain, [keys], push) => {
    push("state_storage", {
      block: chain.head.hash,
      changes: valuesOf(chain, keys, chain.head.number),
    });
    const asked = new Set((keys as unknown[] ?? []).map(hex));
    return chain.onBlock((block) => {
      const changes = [...chain.state.changes].filter(([key]) => asked.has(key))
        .map(([key, value]) => [key, value ?? null]);
      if (changes.length) push("state_storage", { block: block.hash, changes });
    });
  },
  author_submitAndWatchExtrinsic: (chain, [extrinsic], push) => {
    chain.submit(hex(extrinsic), (status) => push("author_extrinsicUpdate", status));
    return () => {};
  },
};

/** As nodes write it: numbers of headers are hexadecimal. */
function headerOf({ number, decoded }: Block): object {
  return { ...decoded.toJSON() as object, number: `0x${number.toString(16)}` };
}

export function isSubscription(method: string): boolean {
  return Object.hasOwn(SUBSCRIPTIONS, method);
}

/** @throws RpcError, PoolRefusal. */
export function subscribe(
  chain: Chain,
  method: string,
  parameters: Parameters,
  push: Push,
): () => void {
  return SUBSCRIPTIONS[method](chain, parameters, push);
}

/** @throws RpcError, PoolRefusal. */
export function answer(chain: Chain, method: string, parameters: Parameters): unknown {
  const name = ALIASES[method] ?? method;
  if (name === "rpc_methods") return { methods: names() };
  if (!Object.hasOwn(METHODS, name)) throw new RpcError(-32601, "Method not found");
  return METHODS[name](chain, parameters);
}

function names(): string[] {
  const ends = Object.keys(SUBSCRIPTIONS).map(unsubscribing);
  return [
    ...new Set([
      ...Object.keys(METHODS),
      ...Object.keys(ALIASES),
      ...Object.keys(SUBSCRIPTIONS),
      ...ends,
      "rpc_methods",
    ]),
  ].sort();
}

function unsubscribing(method: string): string {
  return method === "author_submitAndWatchExtrinsic"
    ? "author_unwatchExtrinsic"
    : method.replace("_subscribe", "_unsubscribe");
}

export function endsSubscription(method: string): boolean {
  return /_unsubscribe|_unwatch/.test(method);
}

/** The body of an error's answer. */
export function errorOf(error: unknown): { code: number; message: string; data?: unknown } {
  if (error instanceof RpcError || error instanceof PoolRefusal) {
    const { code, message, data } = error;
    return { code, message, ...(data === undefined ? {} : { data }) };
  }
  console.error(error);
  return { code: -32603, message: "Internal error" };
}

function heads(name: string): Subscription {
  return (chain, _, push) => {
    const notify = (block: Block) => push(name, headerOf(block));
    notify(chain.head);
    return chain.onBlock(notify);
  };
}

function valuesOf(chain: Chain, keys: unknown, block: number): unknown[] {
  if (!Array.isArray(keys)) throw new RpcError(-32602, "Invalid params");
  return keys.map((key) => [key, chain.state.raw(hex(key), block) ?? null]);
}

function at(chain: Chain, hash: unknown): Block {
  const block = hash === undefined || hash === null ? chain.head : chain.block(String(hash));
  if (block) return block;
  throw discarded(hash);
}

/** Of a block whose state is kept. */
function numberAt(chain: Chain, hash: unknown): number {
  const { number } = at(chain, hash);
  if (number >= chain.state.oldest) return number;
  throw discarded(hash);
}

function momentAt(chain: Chain, hash: unknown): Moment {
  return chain.momentAt(numberAt(chain, hash));
}

function discarded(hash: unknown): RpcError {
  return new RpcError(4003, `Client error: UnknownBlock: State already discarded for ${hash}`);
}

function hashOf(chain: Chain, number: unknown): unknown {
  if (Array.isArray(number)) return number.map((each) => hashOf(chain, each));
  return chain.hashAt(Number(number)) ?? null;
}

function hex(value: unknown): string {
  if (typeof value === "string" && /^0x([0-9a-fA-F]{2})*$/.test(value)) return value.toLowerCase();
  throw new RpcError(-32602, "Invalid params", `${value} is not hexadecimal`);
}
