import { expect, test } from "vitest";
import { type AccessRules, checkAccess } from "../../../server/miner/access_rules.ts";
import type { Metagraph, Neuron } from "../../../server/chain/mod.ts";

const neuron = { hotkey: "5Val", coldkey: "5Cold", validatorPermit: true, stake: 100 } as Neuron;
const weak = { ...neuron, hotkey: "5Weak", coldkey: "5Other", validatorPermit: false, stake: 1 };
const metagraph = { neurons: [neuron, weak] } as unknown as Metagraph;
const open: AccessRules = {
  hotkeys: [],
  coldkeys: [],
  forceValidatorPermit: false,
  allowNonRegistered: false,
  validatorMinimumTao: 0,
  whitelist: [],
};

test.each([
  ["a registered neuron", "5Val", {}, undefined],
  ["a stranger", "5Nobody", {}, /is not registered/],
  ["a stranger, where they may", "5Nobody", { allowNonRegistered: true }, undefined],
  ["a stranger on the whitelist", "5Nobody", { whitelist: ["5Nobody"] }, undefined],
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
  const check = () => checkAccess(hotkey, { ...open, ...rules }, metagraph);
  if (message) expect(check).toThrow(message);
  else expect(check).not.toThrow();
});

test("without a chain only the whitelist may ask", () => {
  expect(() => checkAccess("5Val", open, undefined)).toThrow(/is not registered/);
  expect(() => checkAccess("5Val", { ...open, whitelist: ["5Val"] }, undefined)).not.toThrow();
});
