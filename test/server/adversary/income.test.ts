import { beforeAll, expect, test } from "vitest";
import {
  type Earned,
  simulateIncome,
  STRATEGIES,
  type Strategy,
} from "../../../server/adversary/income/mod.ts";

/** That no strategy may earn more than, over honesty. */
const LIMIT = 1.02;

/** A cheat that no check sees. */
const UNSEEN: Strategy = {
  ...{ name: "makes half of the steps unseen", hotkeys: 1, machines: 1 },
  answer: async (call, means) => {
    const answer = await STRATEGIES[0].answer(call, means);
    return typeof answer === "string" ? answer : { ...answer, passes: 1 };
  },
};

let earned: readonly Earned[];
let served: number;

beforeAll(async () => {
  ({ earned, served } = await simulateIncome([UNSEEN, ...STRATEGIES], {
    ...{ miners: 40, hours: 18, usersPerHour: 240, rest: 1800 },
    ...{ hotkeyCost: 0, permits: true, seed: 1 },
  }));
});

const incomeOf = (name: string) => earned.find((each) => each.name === name)?.income;

test.each(STRATEGIES.map(({ name }) => name))("who %s earns no more than honesty", (name) => {
  expect(incomeOf(name)).toBeLessThanOrEqual(LIMIT);
});

test("who relays, and has no machine, earns nothing where miners want a permit", () => {
  expect(incomeOf("relays all to others")).toBeLessThan(LIMIT - 1);
});

test("who relays earns next to nothing where miners want no permit: they serve validators first", async () => {
  const relays = STRATEGIES.filter(({ name }) => name.startsWith("relays all"));
  const { earned } = await simulateIncome(relays, {
    ...{ miners: 24, hours: 6, usersPerHour: 240, rest: 1800 },
    ...{ hotkeyCost: 0, permits: false, seed: 1 },
  });
  expect(earned).toHaveLength(2);
  // 1.2 where they served all callers in turn.
  for (const { income } of earned) expect(income).toBeLessThan(0.3);
});

test("the model would show a cheat that pays", () => {
  // 2^1.125, less what users' requests cost both.
  expect(incomeOf(UNSEEN.name)).toBeGreaterThan(2);
});

test("users are served, whoever refuses", () => {
  expect(served).toBeGreaterThan(0.98);
});
