import { expect, test, vi } from "vitest";
import { SubnetWatch } from "../../../../server/chain/client/subnet_watch.ts";
import { requireTimelock } from "../../../../server/chain/client/weights.ts";
import { PATIENCE_MS } from "../../../fixtures/patience.ts";
import { thrownBy } from "../../../fixtures/thrown.ts";

test("a chain restarted from genesis is read again at its first block, and logged once", async () => {
  let block = 5000;
  let emit: (block: number) => void = () => {};
  const events: unknown[] = [];
  const chain = {
    ...{ checkClock: () => Promise.resolve(), netuid: 1 },
    metagraph: () => Promise.resolve({ block, neurons: [] }),
    onConnection: () => () => {},
    onBlock: (listener: typeof emit) => {
      emit = listener;
      return () => {};
    },
  };
  using watch = await SubnetWatch.open(
    chain as never,
    (event, facts) => events.push([event, facts]),
  );
  const read = vi.fn();
  watch.onRead(read);
  // A short fork is none.
  block = 4999;
  emit(4999);
  await vi.waitUntil(() => watch.metagraph.block === 4999, PATIENCE_MS);
  expect(events).toEqual([]);
  block = 3;
  emit(3);
  await vi.waitUntil(() => watch.metagraph.block === 3, PATIENCE_MS);
  emit(4);
  expect(events).toEqual([["chain_went_back", { from: 4999, to: 3 }]]);
  expect(read).toHaveBeenCalledTimes(2);
});

test("a subnet is read again when asked to, once a block", async () => {
  let block = 7;
  const metagraph = vi.fn(() => Promise.resolve({ block, neurons: [] }));
  const none = () => () => {};
  const chain = {
    ...{ checkClock: () => Promise.resolve(), netuid: 1, metagraph },
    ...{ onConnection: none, onBlock: none },
    get block() {
      return block;
    },
  };
  using watch = await SubnetWatch.open(chain as never, () => {});
  expect(watch.readAgain()).toBe(false);
  block = 8;
  expect(watch.readAgain()).toBe(true);
  await vi.waitUntil(() => watch.metagraph.block === 8, PATIENCE_MS);
  expect(watch.readAgain()).toBe(false);
  expect(metagraph).toHaveBeenCalledTimes(2);
});

test("weights for a runtime that knows commits by hash alone are refused in an operator's words", () => {
  const runtimeVersion = { specName: "node-subtensor", specVersion: 218 };
  const tx = { subtensorModule: { commitWeights: () => {} } };
  const old = { query: {}, tx, runtimeVersion } as unknown as Parameters<typeof requireTimelock>[0];
  expect(thrownBy(() => requireTimelock(old, 7))).toMatchObject({
    code: "chain_invalid",
    message: expect.stringMatching(/subnet 7 .* runtime \(node-subtensor 218\) .*Update the node/),
  });
});
