import type { Peer } from "../../validator/mod.ts";
import { Machine } from "./machine.ts";
import type { SimulatedClock } from "./simulated_clock.ts";
import { type Answer, type Call, HONEST, type Strategy } from "./strategies.ts";

/** Images of the model's default that each machine makes a second. */
const RATE = 1;

/** Who has some hotkeys and machines of the subnet. */
export interface Operator {
  readonly strategy: Strategy;
  readonly machines: readonly Machine[];
  readonly uids: readonly number[];
}

/** What the subnet's miners are simulated by. */
export interface Simulation {
  readonly clock: SimulatedClock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface SubnetOptions extends Simulation {
  /** Uids in all: those that no strategy takes are honest. */
  readonly miners: number;
  /** Whether miners serve validators with a permit alone, and so no other miner. */
  readonly permits: boolean;
}

/** Miners, each of an operator with a way to earn. */
export class SimulatedSubnet {
  readonly operators: readonly Operator[];
  readonly peers: readonly Peer[];
  readonly #options: SubnetOptions;
  readonly #owners: readonly Operator[];
  readonly #honest: readonly number[];

  constructor(strategies: readonly Strategy[], options: SubnetOptions) {
    this.#options = options;
    this.operators = operatorsOf(strategies, options);
    this.#owners = this.operators.flatMap((operator) => operator.uids.map(() => operator));
    this.#honest = this.operators.filter(({ strategy }) => strategy === HONEST)
      .flatMap(({ uids }) => uids);
    this.peers = this.#owners.map((_, uid) => ({
      ...{ uid, hotkey: `hotkey ${uid}`, url: `http://miner-${uid}` },
    }));
  }

  /** What the miner of a uid makes of a request. */
  answer(uid: number, asked: Omit<Call, "hotkey">): Promise<Answer> {
    const { clock, random } = this.#options;
    const { strategy, machines, uids } = this.#owners[uid];
    return strategy.answer({ ...asked, hotkey: uid - uids[0] }, {
      ...{ machines, random, now: clock.now },
      relay: (call) => this.#relay(call),
    });
  }

  #relay(call: Call): Promise<Answer> {
    const { permits, random } = this.#options;
    if (permits) return Promise.resolve("refused");
    const uid = this.#honest[Math.floor(random() * this.#honest.length)];
    return this.answer(uid, { ...call, spare: true });
  }
}

function operatorsOf(
  strategies: readonly Strategy[],
  { miners, clock }: SubnetOptions,
): readonly Operator[] {
  const operators: Operator[] = [];
  let next = 0;
  const add = (strategy: Strategy) => {
    const machines = Array.from({ length: strategy.machines }, () => new Machine(clock, RATE));
    const first = next;
    next += strategy.hotkeys;
    operators.push({
      ...{ strategy, machines },
      uids: Array.from({ length: strategy.hotkeys }, (_, k) => first + k),
    });
  };
  for (const strategy of strategies) add(strategy);
  while (next < miners) add(HONEST);
  return operators;
}
