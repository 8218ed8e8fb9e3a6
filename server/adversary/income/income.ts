import { rewardOf } from "../../../core/incentive/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import {
  DEFAULT_FORWARD,
  DEFAULT_STRESS,
  examine,
  Forwarder,
  Ledger,
  loadMiner,
  StressLoop,
  weightsOf,
} from "../../validator/mod.ts";
import { SimulatedCaller } from "./simulated_caller.ts";
import { SimulatedClock } from "./simulated_clock.ts";
import { type Operator, SimulatedSubnet, type Simulation } from "./simulated_subnet.ts";
import { HONEST, type Strategy } from "./strategies.ts";

/** A subnet, and how long it is watched. */
export interface Scenario {
  /** Uids. */
  readonly miners: number;
  readonly hours: number;
  /** Requests of users, each for one image of the model's default. */
  readonly usersPerHour: number;
  /** Seconds from one window of tests to the next, on average. */
  readonly rest: number;
  /** What a hotkey costs, as a share of what an honest machine earns in the time. */
  readonly hotkeyCost: number;
  /** Whether miners serve validators with a permit alone. */
  readonly permits: boolean;
  readonly seed: number;
}

/** What a way to earn came to. */
export interface Earned {
  readonly name: string;
  readonly hotkeys: number;
  readonly machines: number;
  /**
   * A machine's share of the weights, less the cost of its hotkeys, over an honest machine's; who has no
   * machine is compared with one.
   */
  readonly income: number;
}

export interface Outcome {
  readonly earned: readonly Earned[];
  /** Share of users' requests that were answered. */
  readonly served: number;
}

const HOUR = 3_600_000;
/** Milliseconds from weights to weights: 360 blocks. */
const EPOCH_MS = 360 * 12_000;
/** Milliseconds for which the ranks of miners stand; in a validator they are always those of the moment. */
const RANKS_MS = 900_000;
const SHAPE = { width: 512, height: 512, steps: 20, guidanceScale: 5, seed: 0n };
/** Work of tests, in images of the default. */
const WORKS = [0.5, 1, 1, 1.5];

/**
 * Lets time pass in a simulated subnet: the validator's own loops, ledger and weights, over miners
 * that are simulated.
 */
export async function simulateIncome(
  strategies: readonly Strategy[],
  scenario: Scenario,
): Promise<Outcome> {
  const simulation = { clock: new SimulatedClock(), random: generator(scenario.seed) };
  const { clock } = simulation;
  const { miners, permits } = scenario;
  const subnet = new SimulatedSubnet(strategies, { ...simulation, miners, permits });
  const tests = new WeakMap<object, number>();
  const caller = await SimulatedCaller.open(subnet, simulation, tests);
  using ledger = new Ledger(":memory:", clock.now);
  const parts = { ledger, caller, subnet, simulation, tests, scenario };
  const loop = stressLoop(parts);
  const users = serveUsers(parts);
  const weights = await collectWeights(parts);
  const ended = Promise.all([loop[Symbol.asyncDispose](), users.stop()]);
  await clock.run(clock.now() + HOUR);
  await ended;
  return { earned: earnedOf(subnet.operators, weights, scenario), ...users.seen() };
}

interface Parts {
  readonly ledger: Ledger;
  readonly caller: SimulatedCaller;
  readonly subnet: SimulatedSubnet;
  readonly simulation: Simulation;
  readonly tests: WeakMap<object, number>;
  readonly scenario: Scenario;
}

function stressLoop({ ledger, caller, subnet, simulation, tests, scenario }: Parts): StressLoop {
  const { random } = simulation;
  const draw = () => {
    const work = WORKS[Math.floor(random() * WORKS.length)];
    const request = { work };
    tests.set(request, work);
    return Promise.resolve({ request, format: "png" as const, work });
  };
  const parts = {
    ...{ ...simulation, caller, scorer: caller.scorer, draw, options: DEFAULT_STRESS },
    isNew: (root: string) => ledger.roots.add(root),
  };
  return new StressLoop({
    ...{ ...simulation, ledger, options: DEFAULT_STRESS, concurrency: 16 },
    restMs: 1000 * scenario.rest,
    peers: () => subnet.peers,
    load: (peer, most, over) => loadMiner(peer, parts, most, over),
    examine: (peer, load) => examine(peer, load, parts),
    ...{ publish: () => {}, log: () => {} },
  });
}

/** Users who come when chance says so, and ask for one image each. */
function serveUsers({ ledger, caller, subnet, simulation, scenario }: Parts) {
  const { clock, random } = simulation;
  const request = decodeRequest({ prompt: "tau" }, SHAPE);
  const stop = new AbortController();
  const ranks = kept(RANKS_MS, clock.now, () =>
    subnet.peers.map((peer) => {
      const metrics = ledger.metrics(peer.hotkey);
      return { peer, reward: rewardOf(metrics), cheated: metrics.cheated };
    }));
  const forwarder = new Forwarder({
    ...{ ...simulation, caller, ledger, scorer: caller.scorer, manifest: "ab".repeat(32) },
    ...{ ranked: ranks, work: () => 1, options: DEFAULT_FORWARD, log: () => {} },
  });
  let [asked, served] = [0, 0];
  const come = async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(-Math.log(1 - random()) * HOUR / scenario.usersPerHour, stop.signal);
      asked++;
      void forwarder.generate(request, "png").then(() => served++, () => {});
    }
  };
  const coming = come();
  return {
    seen: () => ({ served: served / asked }),
    stop: async () => {
      stop.abort();
      await coming;
      await forwarder.idle();
    },
  };
}

/** @returns the sum over all epochs of each uid's share. */
async function collectWeights({ ledger, subnet, simulation, scenario }: Parts): Promise<number[]> {
  const sums = subnet.peers.map(() => 0);
  const metagraph = {
    neurons: subnet.peers,
    hyperparameters: { minAllowedWeights: 1, maxWeightsLimit: 65535 },
  };
  const end = scenario.hours * HOUR;
  for (let at = EPOCH_MS; at <= end; at += EPOCH_MS) {
    await simulation.clock.run(at);
    ledger.sweep();
    const { uids, weights } = weightsOf(metagraph, ledger) ?? { uids: [], weights: [] };
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [k, uid] of uids.entries()) sums[uid] += weights[k] / total;
  }
  return sums;
}

function earnedOf(
  operators: readonly Operator[],
  weights: readonly number[],
  { hotkeyCost }: Scenario,
): Earned[] {
  const shareOf = ({ uids }: Operator) => uids.reduce((sum, uid) => sum + weights[uid], 0);
  const honest = operators.filter(({ strategy }) => strategy === HONEST);
  const usual = honest.reduce((sum, each) => sum + shareOf(each), 0) / honest.length;
  const others = operators.filter(({ strategy }) => strategy !== HONEST);
  return others.map((operator) => {
    const { name, hotkeys, machines } = operator.strategy;
    const [net, one] = [shareOf(operator) / usual - hotkeyCost * hotkeys, 1 - hotkeyCost];
    return { name, hotkeys, machines, income: net / Math.max(1, machines) / one };
  });
}

/** What was found a while ago, or finds it again. */
function kept<T>(ms: number, now: () => number, find: () => T): () => T {
  let [found, at] = [find(), now()];
  return () => {
    if (now() - at >= ms) [found, at] = [find(), now()];
    return found;
  };
}

/** Numbers that anybody can repeat. @see https://en.wikipedia.org/wiki/Lehmer_random_number_generator */
function generator(seed: number): () => number {
  let state = 1 + seed % 2147483646;
  return () => (state = state * 48271 % 2147483647) / 2147483647;
}
