import { describe, expect, test } from "vitest";
import { poolRefusal } from "../../../../server/chain/client/refusals.ts";
import {
  DEVNET_NAME,
  registerCommand,
  stakeCommand,
} from "../../../../server/chain/client/registering.ts";

const [hotkey, netuid] = ["5Grw", 1];

describe("the command that registers a hotkey is its chain's", () => {
  test.each([
    [{ chain: "Bittensor", netuid: 64, hotkey }, "btcli subnets register --netuid 64"],
    [{ chain: "Bittensor" }, "btcli subnets register --netuid N"],
    [{ chain: DEVNET_NAME, netuid, hotkey }, "deno task devnet register 5Grw"],
    [
      { chain: DEVNET_NAME, netuid: 2, hotkey, endpoint: "ws://127.0.0.1:9" },
      "deno task devnet register 5Grw --netuid 2 --endpoint ws://127.0.0.1:9",
    ],
  ])("%o", (place, command) => expect(registerCommand(place)).toBe(command));
});

test("a refusal of the chain names the commands of its chain", () => {
  const said = (chain: string, name: string) =>
    poolRefusal("set weights", new Error(`Custom error: ${name}`), 424, { chain }).message;
  expect(said("Bittensor", "10")).toMatch(/register the hotkey: btcli subnets register/);
  expect(said(DEVNET_NAME, "10")).toMatch(/register the hotkey: deno task devnet register HOTKEY$/);
  expect(said("Bittensor", "1")).toMatch(/add stake to the hotkey: btcli stake add$/);
  expect(said(DEVNET_NAME, "1")).toContain(stakeCommand({ chain: DEVNET_NAME }));
});
