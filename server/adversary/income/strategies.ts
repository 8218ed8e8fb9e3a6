import type { Machine } from "./machine.ts";

/** A request as one hotkey of an operator gets it. */
export interface Call {
  /** Of the operator's hotkeys, from 0. */
  readonly hotkey: number;
  /** In images of the model's default. */
  readonly work: number;
  /** Whether it is a test: what a miner knows at worst. */
  readonly isTest: boolean;
  /** Of another miner, whom miners serve after all validators. */
  readonly spare?: boolean;
  readonly signal: AbortSignal;
}

/** What became of it. An answer passes a check with some probability, if its steps are opened at all. */
export type Answer =
  | "refused"
  | "called off"
  | { readonly passes: number; readonly opens: boolean };

/** What an operator works with. */
export interface Means {
  readonly machines: readonly Machine[];
  /** Milliseconds since the start. */
  readonly now: () => number;
  readonly random: () => number;
  /** Has an honest miner make it. */
  readonly relay: (call: Call) => Promise<Answer>;
}

/** A way to earn. */
export interface Strategy {
  readonly name: string;
  readonly hotkeys: number;
  readonly machines: number;
  readonly answer: (call: Call, means: Means) => Promise<Answer>;
}

/** Jobs for which a miner has room. */
const ROOM = 32;
const HOUR = 3_600_000;
/** One window at most falls into it, mostly. */
const TURN_MS = 300_000;

/** How an image is made: its share of an honest one's work, and what a check finds. */
interface Way {
  readonly share: number;
  readonly passes: number;
  readonly opens: boolean;
}

const SOUND: Way = { share: 1, passes: 1, opens: true };
/** Half of the steps, each twice as far: a check sees it almost always (`deno task adversary`). */
const LAZY: Way = { share: 0.5, passes: 0.02, opens: true };
/** Junk, which must not be opened. */
const JUNK: Way = { share: 0.02, passes: 0, opens: false };

/** By the machine that has least to do. */
async function make(call: Call, { machines }: Means, { share, ...found } = SOUND): Promise<Answer> {
  const [machine] = machines.toSorted((a, b) => a.open - b.open);
  if (machine.open >= ROOM) return "refused";
  return await machine.run(share * call.work, call.signal, !!call.spare) ? found : "called off";
}

const refuse = (): Promise<Answer> => Promise.resolve("refused");

/** The machines work for one hotkey's tests at a time, and show that the others are there. */
function inTurn(hotkeys: number): Strategy["answer"] {
  return (call, means) => {
    const turn = Math.floor(means.now() / TURN_MS) % hotkeys;
    return call.isTest && turn !== call.hotkey && means.random() < 0.9
      ? refuse()
      : make(call, means);
  };
}

/** Has several make the same, and uses what comes first. */
function firstOf(count: number): Strategy["answer"] {
  return async (call, { relay }) => {
    const enough = new AbortController();
    const signal = AbortSignal.any([call.signal, enough.signal]);
    const asked = Array.from({ length: count }, async () => {
      const answer = await relay({ ...call, signal });
      return typeof answer === "string" ? Promise.reject(new Error(answer)) : answer;
    });
    try {
      return await Promise.any(asked);
    } catch {
      return call.signal.aborted ? "called off" : "refused";
    } finally {
      enough.abort();
    }
  };
}

const ONE = { hotkeys: 1, machines: 1 };

export const HONEST: Strategy = { name: "honest", ...ONE, answer: make };

/** Known ways to earn more than honesty, or to try. */
export const STRATEGIES: readonly Strategy[] = [
  {
    ...{ name: "makes half of the steps", ...ONE },
    answer: (call, means) => make(call, means, LAZY),
  },
  {
    ...{ name: "makes half of the steps of each tenth image", ...ONE },
    answer: (call, means) => make(call, means, means.random() < 0.1 ? LAZY : SOUND),
  },
  { name: "8 hotkeys on one machine", hotkeys: 8, machines: 1, answer: make },
  { name: "8 hotkeys on one machine, in turn", hotkeys: 8, machines: 1, answer: inTurn(8) },
  { name: "4 hotkeys collude, in turn", hotkeys: 4, machines: 4, answer: inTurn(4) },
  {
    ...{ name: "refuses users, serves tests", ...ONE },
    answer: (call, means) => call.isTest ? make(call, means) : refuse(),
  },
  {
    ...{ name: "refuses every second user", ...ONE },
    answer: (call, means) => call.isTest || means.random() < 0.5 ? make(call, means) : refuse(),
  },
  {
    ...{ name: "refuses users during tests", ...ONE },
    answer: (call, means) =>
      call.isTest || means.machines[0].open < 4 ? make(call, means) : refuse(),
  },
  {
    ...{ name: "is too busy for tests", ...ONE },
    answer: (call, means) => call.isTest ? refuse() : make(call, means),
  },
  {
    ...{ name: "makes junk, opens nothing", ...ONE },
    answer: (call, means) => make(call, means, JUNK),
  },
  {
    ...{ name: "honest for 2 hours, then junk unopened", ...ONE },
    answer: (call, means) => make(call, means, means.now() < 2 * HOUR ? SOUND : JUNK),
  },
  {
    ...{ name: "relays all to others", hotkeys: 1, machines: 0 },
    answer: (call, { relay }) => relay(call),
  },
  {
    ...{ name: "relays all to 3 others, takes the first", hotkeys: 1, machines: 0 },
    answer: firstOf(3),
  },
  {
    ...{ name: "relays users' requests alone", ...ONE },
    answer: (call, means) => call.isTest ? make(call, means) : means.relay(call),
  },
];
