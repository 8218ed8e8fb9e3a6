import { counted } from "../../core/counted.ts";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { reason, throwIfAborted } from "../../core/error.ts";
import { addressOf, PATHS } from "../../core/protocol/mod.ts";
import { developmentPair, type Devnet, startDevnet, SubtensorClient } from "../chain/mod.ts";
import { stopped } from "../runtime/mod.ts";
import { localAddress } from "./local_address.ts";
import { type DemoProcess, startProcess } from "./processes.ts";
import { Screen } from "./screen.ts";
import { type MinerRow, minerTable } from "./table.ts";
import { Users } from "./users.ts";
import { DemoWorkers } from "./workers.ts";
import { shareOf, WeightsSeen } from "./weights_seen.ts";

export interface DemoOptions {
  /** Keeps the subnet running at the end, until Ctrl-C. */
  readonly keep: boolean;
  readonly folder?: string;
  /** After which it is a failure. */
  readonly minutes: number;
  /** Of the first miner, in a cluster; 0 for a miner that computes itself. */
  readonly workers: number;
}

const NETUID = 1;
const TAO = 1_000_000_000n;
/** Blocks. */
const [TEMPO, WEIGHTS_EVERY] = [12, 8];
const USER_EVERY_MS = 2500;
const CHEAT = "every second call reused";
const VALIDATOR = "//Alice";
/** The miners, and what they run. */
const MINERS = [
  { name: "Bob", hotkey: "//Bob", cheats: false },
  { name: "Charlie", hotkey: "//Charlie", cheats: false },
  { name: "Eve (cheats)", hotkey: "//Eve", cheats: true },
] as const;

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const CHEATING_MINER = fileURLToPath(new URL("./cheating_miner.ts", import.meta.url));

/**
 * Runs the subnet until the chain has paid, or the time is over.
 * @returns whether everything that it should show was seen.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  // First of all: stopped while it starts, it leaves nothing running either.
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const stop = stopped().then(() => interrupt.abort());
  await cryptoWaitReady();
  const screen = new Screen();
  const started = Date.now();
  const until = started + 60_000 * options.minutes;
  const folder = options.folder ?? await mkdtemp(join(tmpdir(), "stepwise-demo-"));
  const images = join(folder, "images");
  await mkdir(images, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const { devnet, chain } = await openChain(stack, screen);
  const key = crypto.randomUUID();
  const { workers: count } = options;
  const { processes, workers } = await startNeurons({
    ...{ devnet, folder, key, screen, stack, signal, count },
  });
  const validator = processes[processes.length - 1];
  const users = stack.use(
    new Users({ url: validator.url, key, folder: images, everyMs: USER_EVERY_MS }),
  );
  screen.say("Users ask for images; the validator asks miners, checks, and weighs.\n");
  const goesOn = () => !signal.aborted && Date.now() < until && processes.every((p) => p.running());
  const weightsSeen = new WeightsSeen();
  let seen: Seen;
  const picture = () =>
    `${minerTable(seen.rows, screen.columns)}\n${statusLine(seen, users, started)}`;
  do {
    await Promise.race([stop, new Promise((resolve) => setTimeout(resolve, 1000))]);
    seen = await look(chain, validator, users, weightsSeen);
    workers?.look(seen.rows[0].served + seen.rows[0].checks);
    screen.show(picture());
  } while (!allHolds(seen, processes, workers) && goesOn());
  screen.say(picture());
  screen.say(`\nImages, receipts and logs are in ${folder}`);
  // Stopped early: what has not been seen yet is no failure.
  if (!allHolds(seen, processes, workers)) throwIfAborted(signal, "finish the demonstration");
  const claims = claimsOf(seen, processes, workers);
  screen.say("");
  for (const [claim, holds] of claims) screen.say(`${holds ? "yes" : " NO"}  ${claim}`);
  for (const refused of new Set(users.tally.refused)) {
    screen.say(`     a user saw: ${refused}`);
  }
  if (options.keep && !signal.aborted) {
    sayAddresses({ devnet, processes, key, screen }, users);
    await stop;
  } else {
    screen.say("\nTo check a step of one in a browser tab: deno task demo --keep");
  }
  await users[Symbol.asyncDispose]();
  await Promise.all(processes.map((each) => each[Symbol.asyncDispose]()));
  return claims.every(([, holds]) => holds);
}

async function openChain(
  stack: AsyncDisposableStack,
  screen: Screen,
): Promise<{ readonly devnet: Devnet; readonly chain: SubtensorClient }> {
  const alice = developmentPair(VALIDATOR);
  const devnet = stack.use(
    await startDevnet({
      ...{ port: 0, blockMs: 1000, netuid: NETUID, hyperparameters: { tempo: TEMPO } },
      funds: { [alice.address]: 1_000_000n * TAO },
      neurons: [{ hotkey: alice.address, coldkey: alice.address, stake: 1000n * TAO }],
    }),
  );
  const { endpoint } = devnet;
  const chain = stack.use(
    await SubtensorClient.connect({ network: "devnet", endpoint, netuid: NETUID }),
  );
  screen.say(`Chain at ${endpoint}: a block a second, an epoch every ${TEMPO}`);
  for (const { name, hotkey } of MINERS) {
    const { block } = await chain.register(developmentPair(hotkey).address, alice);
    screen.say(`${name} is registered in block ${block}`);
  }
  return { devnet, chain };
}

interface Needs {
  readonly devnet: Devnet;
  readonly folder: string;
  readonly key: string;
  readonly screen: Screen;
  readonly stack: AsyncDisposableStack;
  /** Aborts the demonstration. */
  readonly signal: AbortSignal;
  /** Workers of the first miner. */
  readonly count: number;
}

/** Miners first, so that the validator finds them. @returns the validator last. */
async function startNeurons(
  { devnet, folder, key, screen, stack, signal, count }: Needs,
): Promise<{ readonly processes: DemoProcess[]; readonly workers: DemoWorkers | undefined }> {
  const ip = await localAddress();
  const chainFlags = [
    ...["--subtensor.network", "devnet", "--subtensor.chain_endpoint", devnet.endpoint],
    ...["--netuid", String(NETUID), "--log", "json"],
  ];
  const start = async (name: string, args: readonly string[]) => {
    const log = join(folder, `${name}.log`);
    const started = stack.use(await startProcess(name, args, log, signal));
    screen.say(started.url === "" ? `${name} runs` : `${name} runs at ${started.url}`);
    return started;
  };
  const [{ hotkey: first }] = MINERS;
  const workers = count === 0
    ? undefined
    : await DemoWorkers.start({ count, main: MAIN, hotkey: first, folder, start, stack });
  // When one fails, the others have to be there to be stopped.
  const starts = await Promise.allSettled(MINERS.map(({ name, hotkey, cheats }) => {
    const storage = join(folder, `miner-${hotkey.slice(2)}`);
    return start(
      name,
      cheats
        ? [CHEATING_MINER, hotkey, devnet.endpoint, String(NETUID), ip, "0", storage, CHEAT]
        : [
          ...[MAIN, "miner", ...chainFlags, "--wallet.hotkey", hotkey, "--storage", storage],
          ...["--axon.ip", ip, "--axon.external_ip", ip, "--axon.port", "0"],
          ...["--compute", "cpu", "--queue", "32"],
          ...workers && hotkey === first ? ["--cluster", workers.url] : [],
        ],
    );
  }));
  const miners = starts.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
  const keys = join(folder, "api-keys.txt");
  await writeFile(keys, `# applications\n${key}\n`, { mode: 0o600 });
  const validator = await start("validator", [
    ...[MAIN, "validator", ...chainFlags, "--wallet.hotkey", VALIDATOR],
    ...["--storage", join(folder, "validator"), "--axon.port", "0", "--compute", "cpu"],
    ...["--neuron.epoch_length", String(WEIGHTS_EVERY), "--api.keys", keys],
    ...["--stress.concurrency", "1", "--stress.max", "2", "--stress.size", "128"],
    // Half of the calls are real: more answers are checked than usual, so that luck does not matter.
    ...["--stress.window", "20", "--stress.check_share", "0.5", "--stress.rest", "45"],
  ]);
  return { processes: [...miners, validator], workers };
}

/** What is seen at one moment. */
interface Seen {
  readonly rows: readonly MinerRow[];
  readonly block: number;
  readonly images: number;
  /** Of the last epoch, and of the weights that it paid by: the table is of these. */
  readonly epochBlock: number;
  readonly weightsBlock: number | undefined;
}

async function look(
  chain: SubtensorClient,
  validator: DemoProcess,
  users: Users,
  weightsSeen: WeightsSeen,
): Promise<Seen> {
  const { neurons, lastEpochBlock } = await chain.metagraph();
  const info = await fetch(addressOf(validator.url, PATHS.info, {})).then((response) =>
    response.json()
  )
    .catch((error) => ({ miners: [], error: reason(error) }));
  weightsSeen.add(info.weights);
  const weights = weightsSeen.at(lastEpochBlock);
  return {
    block: chain.block,
    images: users.tally.images.length,
    epochBlock: lastEpochBlock,
    weightsBlock: weights?.block,
    rows: MINERS.map(({ name, hotkey }) => {
      const { address } = developmentPair(hotkey);
      const neuron = neurons.find((each) => each.hotkey === address);
      // NaN is null in JSON.
      const own = info.miners.find((each: { hotkey: string }) => each.hotkey === address) ?? {};
      return {
        name,
        uid: neuron?.uid ?? -1,
        rps: own.requestsPerSecond ?? NaN,
        similarity: own.similarity ?? NaN,
        velocityError: own.velocityError ?? NaN,
        checks: own.checks ?? 0,
        served: own.served ?? 0,
        failed: own.failed ?? 0,
        why: own.why,
        drifting: own.drifting,
        weight: shareOf(weights, neuron?.uid ?? -1),
        incentive: 100 * (neuron?.incentive ?? 0),
        emission: neuron?.emission ?? 0,
      };
    }),
  };
}

function statusLine(
  { block, images, epochBlock, weightsBlock }: Seen,
  users: Users,
  started: number,
): string {
  const seconds = Math.round((Date.now() - started) / 1000);
  const weights = weightsBlock === undefined
    ? "no epoch has paid yet"
    : `paid in block ${epochBlock} by the weights of block ${weightsBlock}`;
  return `${seconds} s, block ${block}; ${counted(images, "image")} of ${users.tally.asked} ` +
    `asked for; ${weights}`;
}

/** What the demonstration is to show, and whether it did. */
function claimsOf(
  { rows, images }: Seen,
  processes: readonly DemoProcess[],
  workers: DemoWorkers | undefined,
): readonly (readonly [claim: string, holds: boolean])[] {
  const honest = rows.filter((_, k) => !MINERS[k].cheats);
  const cheats = rows.filter((_, k) => MINERS[k].cheats);
  return [
    ["users got images", images >= 3],
    [
      "honest miners passed every check",
      honest.every(({ checks, why }) => checks > 0 && why === undefined),
    ],
    ["the cheat was caught at a step", cheats.every(({ why }) => why !== undefined)],
    ["honest miners carried a load", honest.every(({ rps }) => rps > 0)],
    ["honest miners have weight", honest.every(({ weight }) => weight > 1)],
    ["the chain paid the honest miners", honest.every(({ emission }) => emission > 0)],
    [
      "the cheat earns nothing",
      cheats.every(({ weight, incentive, emission }) => weight + incentive + emission === 0),
    ],
    ["everything that was started still runs", processes.every((each) => each.running())],
    ...workers?.claims ?? [],
  ];
}

function allHolds(
  seen: Seen,
  processes: readonly DemoProcess[],
  workers: DemoWorkers | undefined,
): boolean {
  return claimsOf(seen, processes, workers).every(([, holds]) => holds);
}

function sayAddresses(
  { devnet, processes, key, screen }: Pick<Needs, "devnet" | "key" | "screen"> & {
    readonly processes: readonly DemoProcess[];
  },
  { tally: { newest } }: Users,
): void {
  screen.say(`\nStill running, until Ctrl-C:\n  chain ${devnet.endpoint}`);
  for (const { name, url } of processes) screen.say(`  ${name} ${url}`);
  screen.say(`  API key ${key}`);
  if (!newest) return;
  // The miner serves the pages itself.
  const link = `${newest.miner}/#/verify?${new URLSearchParams(newest)}`;
  screen.say(`\nCheck a step of the newest image in a tab, within 15 minutes:\n  ${link}`);
}
