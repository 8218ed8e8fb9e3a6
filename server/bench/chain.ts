import { Command } from "commander";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { AppError } from "../../core/error.ts";
import {
  developmentPair,
  type Devnet,
  metagraphFromStorage,
  openLink,
  readMetagraph,
  startDevnet,
  SubtensorClient,
} from "../chain/mod.ts";
import { wholeFlag } from "../cli/mod.ts";

interface ChainFlags {
  readonly blocks: string;
  readonly blockTime: string;
  readonly neurons: string;
}

const NETUID = 1;
const TAO = 1_000_000_000n;
const TIMEOUT_MS = 30_000;
/** Of the time of a metagraph. */
const ROUNDS = 10;
const QUARTERS = 4;

export function chainCommand(): Command {
  return new Command("chain")
    .description("A metagraph's round trips, and a long block subscription, on a devnet.")
    .option("--blocks <n>", "to follow; 3600 are an hour of the devnet's usual ones", "3600")
    .option("--block-time <ms>", "from block to block", "20")
    .option("--neurons <n>", "on the subnet", "256")
    .action(benchChain);
}

async function benchChain(flags: ChainFlags): Promise<void> {
  const blocks = wholeFlag("--blocks", flags.blocks, QUARTERS, 1_000_000);
  await using devnet = await startSubnet(
    wholeFlag("--neurons", flags.neurons, 1, 256),
    wholeFlag("--block-time", flags.blockTime, 1, 60_000),
  );
  console.log(await metagraphTable(devnet));
  console.log(await follow(devnet, blocks));
}

async function startSubnet(neurons: number, blockMs: number): Promise<Devnet> {
  // The first key is derived once the wasm is there.
  await using _ = await startDevnet({ port: 0, blockMs });
  return await startDevnet({
    ...{ port: 0, blockMs, netuid: NETUID },
    neurons: Array.from({ length: neurons }, (_, k) => {
      const { address } = developmentPair(`//Neuron${k}`);
      return { hotkey: address, coldkey: address, stake: BigInt(k) * TAO };
    }),
  });
}

/** Both ways to read a metagraph: round trips, and the median of their times. */
async function metagraphTable({ endpoint, chain }: Devnet): Promise<string> {
  const link = await openLink({ endpoint, timeoutMs: TIMEOUT_MS });
  try {
    // The link subscribes on its own, some time after it is ready.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const ways = {
      "the runtime API": () => readMetagraph(link, NETUID, chain.head),
      "the storage maps": () => metagraphFromStorage(link, NETUID, chain.head),
    };
    const sent = () => link.api.stats?.total.requests ?? NaN;
    const lines: string[] = [];
    for (const [name, read] of Object.entries(ways)) {
      const before = sent();
      const neurons = (await read())?.neurons.length;
      const trips = sent() - before;
      const ms = await medianMs(read);
      lines.push(
        `Metagraph of ${neurons} neurons by ${name.padEnd(16)}  ${trips} round trip${
          trips === 1 ? " " : "s"
        }  ` +
          `${ms.toFixed(1)} ms`,
      );
    }
    return lines.join("\n");
  } finally {
    await link.api.disconnect();
  }
}

async function medianMs(read: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await read();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1];
}

/**
 * Follows a subscription. Client and devnet share the heap, so growth of either is seen; the devnet's
 * first 2400 blocks fill what it keeps (states of 300, hashes of 2400).
 * @throws AppError `chain_invalid` when a block is missed or comes twice.
 */
async function follow(devnet: Devnet, blocks: number): Promise<string> {
  const { endpoint } = devnet;
  await using client = await SubtensorClient.connect({ endpoint, netuid: NETUID });
  const collect = collector();
  const started = performance.now();
  const first = client.block;
  const heaps: { readonly block: number; readonly mb: number }[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last = first;
  const end = client.onBlock((block) => {
    if (block !== last + 1) reject(notNext(block, last));
    last = block;
    const seen = block - first;
    if (seen % Math.floor(blocks / QUARTERS) === 0) heaps.push({ block: seen, mb: collect() });
    if (heaps.length === QUARTERS) resolve();
  });
  try {
    await promise;
  } finally {
    end();
  }
  const seconds = (performance.now() - started) / 1000;
  return heapTable(heaps, last - first, seconds);
}

function heapTable(
  heaps: readonly { readonly block: number; readonly mb: number }[],
  blocks: number,
  seconds: number,
): string {
  const growth = heaps[QUARTERS - 1].mb - heaps[0].mb;
  return [
    `${blocks} blocks by one subscription in ${seconds.toFixed(0)} s, none missed, none twice`,
    ...heaps.map(({ block, mb }) =>
      `  after ${String(block).padStart(7)} blocks  ${mb.toFixed(1).padStart(7)} MB of heap in use`
    ),
    `From the first quarter to the last: ${growth < 0 ? "" : "+"}${growth.toFixed(1)} MB`,
  ].join("\n");
}

function notNext(block: number, last: number): AppError {
  return new AppError(
    "chain_invalid",
    `Cannot follow the chain's blocks: block ${block} came after ${last}`,
  );
}

/** What is in use once the garbage is out, in MB. */
function collector(): () => number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  return () => {
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
}
