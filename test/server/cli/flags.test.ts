import { expect, test } from "vitest";
import { sideFlag } from "../../../server/cli/flags.ts";
import { stateFolder } from "../../../server/neuron/state_folder.ts";
import { runCli } from "../../fixtures/cli.ts";

test("each role, chain, subnet and hotkey has a state folder of its own", () => {
  const endpoint = "ws://127.0.0.1:9944";
  const folders = [
    stateFolder("miner", "5A", { network: "finney", netuid: 1 }),
    stateFolder("miner", "5A", { network: "finney", netuid: 2 }),
    stateFolder("miner", "5A", { network: "test", netuid: 1 }),
    stateFolder("miner", "5A", { endpoint, netuid: 1 }),
    stateFolder("miner", "5A", { endpoint: "ws://127.0.0.1:9945", netuid: 1 }),
    stateFolder("miner", "5A", undefined),
    stateFolder("miner", "5A", { network: "finney", netuid: 1 }, 8093),
    stateFolder("validator", "5A", { network: "finney", netuid: 1 }),
    stateFolder("miner", "5B", { network: "finney", netuid: 1 }),
  ];
  expect(new Set(folders).size).toBe(folders.length);
  // Without a network, and without an endpoint, it is finney.
  expect(stateFolder("miner", "5A", { netuid: 1 })).toBe(folders[0]);
  for (const folder of folders) {
    expect(folder).toMatch(/stepwise\/(miner|validator)\/[\w.-]+\/5[AB](-8093)?$/);
  }
});

test("sideFlag wants a multiple of 8 in a range", () => {
  expect(sideFlag("--size", "64", 8, 128)).toBe(64);
  for (const text of ["65", "0", "136", "", "x"]) {
    expect(() => sideFlag("--size", text, 8, 128)).toThrow(/--size is .*, not a/);
  }
});

test.each([
  ...["generate", "verify", "bench", "adversary", "miner", "validator", "demo", "web", "build"],
  ...["devnet", "devnet register", "wallet new", "calibrate"],
])("the help of %s fits 80 columns, and tells no default that is none", async (command) => {
  const { code, stdout, stderr } = await runCli([...command.split(" "), "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.replaceAll(/\s+/g, " ")).not.toMatch(/default: (false|\[\]|")/);
  // Examples are typed as one line.
  for (const line of stdout.slice(0, stdout.indexOf("display help")).split("\n")) {
    // A machine's folders are as long as they are.
    expect(line.replace(/\/\S+$/, "").length, line).toBeLessThanOrEqual(80);
  }
});

test.each(["bench loop", "wallet new", "devnet faucet"])(
  "%s refuses a flag that it has not, as a request that is wrong",
  async (command) => {
    const { code, stdout, stderr } = await runCli([...command.split(" "), "--frobnicate"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("--frobnicate");
  },
);
