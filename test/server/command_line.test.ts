import { expect, test } from "vitest";
import { stateFolder } from "../../server/command_line.ts";

test("each role, chain, subnet and hotkey has a state folder of its own", () => {
  const endpoint = "ws://127.0.0.1:9944";
  const folders = [
    stateFolder("miner", "5A", { network: "finney", netuid: 1 }),
    stateFolder("miner", "5A", { network: "finney", netuid: 2 }),
    stateFolder("miner", "5A", { network: "test", netuid: 1 }),
    stateFolder("miner", "5A", { endpoint, netuid: 1 }),
    stateFolder("miner", "5A", { endpoint: "ws://127.0.0.1:9945", netuid: 1 }),
    stateFolder("miner", "5A", undefined),
    stateFolder("validator", "5A", { network: "finney", netuid: 1 }),
    stateFolder("miner", "5B", { network: "finney", netuid: 1 }),
  ];
  expect(new Set(folders).size).toBe(folders.length);
  // Without a network, and without an endpoint, it is finney.
  expect(stateFolder("miner", "5A", { netuid: 1 })).toBe(folders[0]);
  for (const folder of folders) {
    expect(folder).toMatch(/stepwise\/(miner|validator)\/[\w.-]+\/5[AB]$/);
  }
});
