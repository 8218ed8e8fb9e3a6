import { describe, expect, onTestFinished, test, vi } from "vitest";
import { checkAccess, comesLast, EVERY_NEURON } from "../../../server/miner/access_rules.ts";
import { Whitelist } from "../../../server/miner/whitelist.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { thrownBy } from "../../fixtures/thrown.ts";
import { rejection } from "../../fixtures/rejection.ts";
import type { Metagraph, Neuron } from "../../../server/chain/mod.ts";

const neuron = { hotkey: "5Val", coldkey: "5Cold", validatorPermit: true, stake: 100 } as Neuron;
const weak = { ...neuron, hotkey: "5Weak", coldkey: "5Other", validatorPermit: false, stake: 1 };
const metagraph = { neurons: [neuron, weak] } as unknown as Metagraph;
/** Read at the latest block. */
const subnet = { metagraph, readAgain: () => false };
const nobody = new Set<string>();

test.each([
  ["a registered neuron", "5Val", {}, undefined],
  ["a stranger", "5Nobody", {}, /is not registered/],
  ["a stranger, where they may", "5Nobody", { allowNonRegistered: true }, undefined],
  ["a hotkey on the blacklist", "5Val", { hotkeys: ["5Val"] }, /is on this miner's blacklist/],
  ["a coldkey on the blacklist", "5Val", { coldkeys: ["5Cold"] }, /has a coldkey on/],
  ["a neuron without a permit", "5Weak", { forceValidatorPermit: true }, /has no validator permit/],
  ["a neuron with too little stake", "5Weak", { validatorMinimumTao: 50 }, /has 1 staked, 50/],
  [
    "a neuron with enough",
    "5Val",
    { validatorMinimumTao: 50, forceValidatorPermit: true },
    undefined,
  ],
])("%s", (_, hotkey, rules, message) => {
  const check = () => checkAccess(hotkey, { ...EVERY_NEURON, ...rules }, subnet, nobody);
  if (message) expect(check).toThrow(message);
  else expect(check).not.toThrow();
});

test.each([
  ["a validator", "5Val", false],
  ["a miner that asks another", "5Weak", true],
  ["a stranger", "5Nobody", true],
  ["one on the whitelist", "5Friend", false],
])("%s waits for all others: %s, %s", (_, hotkey, last) => {
  expect(comesLast(hotkey, metagraph, new Set(["5Friend"]))).toBe(last);
});

test.each([
  ["a stranger", "5Nobody", {}, "not_ready"],
  ["a neuron without a permit", "5Weak", { forceValidatorPermit: true }, "not_ready"],
  ["a neuron with too little stake", "5Weak", { validatorMinimumTao: 50 }, "not_ready"],
  ["a hotkey on the blacklist", "5Val", { hotkeys: ["5Val"] }, "not_allowed"],
  ["a coldkey on the blacklist", "5Val", { coldkeys: ["5Cold"] }, "not_allowed"],
])(
  "%s is asked to come again where the chain may say otherwise by now",
  (_, hotkey, rules, code) => {
    const readAgain = vi.fn(() => true);
    const check = () =>
      checkAccess(hotkey, { ...EVERY_NEURON, ...rules }, { metagraph, readAgain }, nobody);
    expect(thrownBy(check)).toMatchObject({ code });
    expect(readAgain).toHaveBeenCalledTimes(code === "not_ready" ? 1 : 0);
  },
);

test("without a chain only the whitelist may ask", () => {
  expect(() => checkAccess("5Val", EVERY_NEURON, undefined, nobody)).toThrow(/is not registered/);
  expect(() => checkAccess("5Val", EVERY_NEURON, undefined, new Set(["5Val"]))).not.toThrow();
});

test("the whitelist comes before every rule", () => {
  const rules = { ...EVERY_NEURON, hotkeys: ["5Weak"], validatorMinimumTao: 50 };
  expect(() => checkAccess("5Weak", rules, subnet, new Set(["5Weak"]))).not.toThrow();
});

describe("a whitelist at an address", () => {
  async function serve(answer: () => Response) {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
    onTestFinished(() => server.shutdown());
    return await Promise.resolve(`http://127.0.0.1:${server.addr.port}/`);
  }

  test("adds to those that are named", async () => {
    const url = await serve(() => Response.json({ hotkeys: ["5Listed"] }));
    using whitelist = await Whitelist.open(["5Named"], url, () => {});
    expect(["5Named", "5Listed", "5Other"].map((key) => whitelist.has(key)))
      .toEqual([true, true, false]);
  });

  test("that cannot be read later stays as it was, which is logged", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    let calls = 0;
    const url = await serve(() => calls++ === 0 ? Response.json(["5Listed"]) : new Response("<"));
    const events: string[] = [];
    using whitelist = await Whitelist.open([], url, (event) => events.push(event));
    vi.advanceTimersByTime(5 * 60_000);
    await vi.waitUntil(() => events.length > 0, PATIENCE_MS);
    expect(events).toEqual(["whitelist not read"]);
    expect(whitelist.has("5Listed")).toBe(true);
  });

  test("that is none from the start stops the miner, in one line", async () => {
    const url = await serve(() => Response.json({ keys: [] }));
    expect(await rejection(Whitelist.open([], url, () => {}))).toMatchObject({
      code: "download_failed",
      message: `Cannot read the whitelist of ${url}: it is no JSON list of addresses`,
    });
  });
});
