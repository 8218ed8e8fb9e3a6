import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  developmentPair,
  type Devnet,
  startDevnet,
  SubtensorClient,
} from "../../server/chain/mod.ts";
import { type DemoProcess, startProcess } from "../../server/demo/processes.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";

export const MAIN = new URL("../../server/main.ts", import.meta.url).pathname;
const TAO = 1_000_000_000n;
/** An address of this machine that the chain takes for an axon. */
export const IP = "127.0.0.2";
export const KEY = "an-api-key-of-the-tests";
/** Of //Alice, the validator. */
export const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
/** A validator that asks miners for users alone. */
export const NO_STRESS = ["--role", "forward", "--forward.hedge", "1"];
export const SMALL = { width: 64, height: 64, steps: 6 };

/** A devnet in this process, and neurons as processes of their own. */
export interface Subnet {
  readonly devnet: Devnet;
  readonly folder: string;
  readonly chainFlags: readonly string[];
  /** A command of Stepwise; its log has the name. */
  start(name: string, args: readonly string[]): Promise<DemoProcess>;
  miner(hotkey: string, flags?: readonly string[]): Promise<DemoProcess>;
  validator(flags?: readonly string[]): Promise<DemoProcess>;
  client(): Promise<SubtensorClient>;
}

/**
 * @param miners hotkeys that are registered from the first block on, besides //Alice.
 * @param defer has what is started stopped at an end, the last first; by default the test's.
 */
export async function startSubnet(
  miners: readonly string[],
  options: { readonly path?: string; readonly clock?: () => number } = {},
  defer: (stop: () => PromiseLike<void>) => void = onTestFinished,
): Promise<Subnet> {
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  defer(() => Deno.remove(folder, { recursive: true }));
  const [alice, ...others] = ["//Alice", ...miners].map((uri) => developmentPair(uri).address);
  const devnet = await startDevnet({
    ...{ port: 0, blockMs: 250, netuid: 1, ...options },
    // Subtensor's default: more weights are demanded than there are neurons.
    hyperparameters: { tempo: 10, minAllowedWeights: 1024 },
    funds: { [alice]: 1_000_000n * TAO },
    neurons: [
      { hotkey: alice, coldkey: alice, stake: 1000n * TAO },
      ...others.map((hotkey) => ({ hotkey, coldkey: alice, stake: 0n })),
    ],
  });
  defer(() => devnet[Symbol.asyncDispose]());
  const { endpoint } = devnet;
  const chainFlags = ["--subtensor.network", "devnet", "--subtensor.chain_endpoint", endpoint];
  const start = async (name: string, args: readonly string[]) => {
    const started = await startProcess(name, [MAIN, ...args], join(folder, `${name}.log`));
    defer(() => started[Symbol.asyncDispose]());
    return started;
  };
  const keys = join(folder, "keys.txt");
  await Deno.writeTextFile(keys, KEY);
  return {
    devnet,
    folder,
    ...{ chainFlags, start },
    miner: (hotkey, flags = []) =>
      start(`miner-${hotkey.slice(2)}`, [
        ...["miner", ...chainFlags, "--wallet.hotkey", hotkey, "--compute", "cpu"],
        ...["--axon.ip", IP, "--axon.external_ip", IP, "--axon.port", "0"],
        ...["--storage", join(folder, hotkey.slice(2)), ...flags],
      ]),
    validator: (flags = []) =>
      start("validator", [
        ...["validator", ...chainFlags, "--wallet.hotkey", "//Alice", "--compute", "cpu"],
        ...["--axon.port", "0", "--storage", join(folder, "validator"), "--api.keys", keys],
        ...["--neuron.epoch_length", "8", "--stress.max", "2", "--stress.size", "64"],
        ...["--stress.steps", "6", "--stress.window", "4", "--stress.rest", "4", ...flags],
      ]),
    client: async () => {
      const client = await SubtensorClient.connect({ network: "devnet", endpoint, netuid: 1 });
      defer(() => client[Symbol.asyncDispose]());
      return client;
    },
  };
}

/** A user's request. */
export function ask(
  validator: Pick<DemoProcess, "url">,
  request: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${validator.url}/v1/generate`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    body: JSON.stringify({ request: { prompt: "a red tau symbol", ...SMALL, ...request } }),
  });
}

/** A miner as the validator sees it. */
export interface SeenMiner {
  readonly uid: number;
  readonly hotkey: string;
  readonly requestsPerSecond: number | null;
  readonly served: number;
  readonly failed: number;
  readonly checks: number;
  readonly cheated: boolean;
  readonly reward: number;
  readonly why?: string;
}

export async function seen(validator: Pick<DemoProcess, "url">): Promise<{
  readonly miners: readonly SeenMiner[];
  readonly weights?: { readonly uids: number[]; readonly weights: number[] };
}> {
  return await (await fetch(`${validator.url}/v1/info`)).json();
}

/** Waits until it holds. @throws Error with what was last seen. */
export async function until<T>(
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  while (true) {
    const now = await look();
    if (holds(now)) return now;
    if (Date.now() > end) {
      throw new Error(`Waited ${PATIENCE_MS} ms in vain: ${JSON.stringify(now)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
