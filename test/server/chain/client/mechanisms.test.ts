import { expect, test } from "vitest";
import { rejection } from "../../../fixtures/rejection.ts";
import { connect, startSubnet } from "../devnet/small_subnet.ts";

/** Bob computes, Charlie creates. */
const [COMPUTE, CONTENT] = [{ uids: [1], weights: [65535] }, { uids: [2], weights: [65535] }]
  .map((weights) => ({ ...weights, versionKey: 0n }));
/** `netuid_index` of mechanism 1 of subnet 1: facts of the runtime. */
const INDEX = 4097;

test("two mechanisms have weights of their own, and each pays half", async () => {
  const { devnet, alice } = await startSubnet({
    hyperparameters: { mechanisms: 2, weightsRateLimit: 1, tempo: 20 },
  });
  await using _devnet = devnet;
  await using client = await connect(devnet);
  expect(await client.mechanisms()).toBe(2);
  await client.setWeights(COMPUTE, alice);
  await client.setWeights({ ...CONTENT, mechanism: 1 }, alice);
  const weights = (index: number) =>
    devnet.chain.state.read("subtensorModule.weights", index, 0)?.toJSON();
  expect([weights(1), weights(INDEX)]).toEqual([[[1, 65535]], [[2, 65535]]]);
  const next = devnet.chain.state.number("subtensorModule.subnetEpochIndex", 1) + 1;
  while (devnet.chain.state.number("subtensorModule.subnetEpochIndex", 1) < next) {
    devnet.chain.author();
  }
  const incentive = (index: number) =>
    devnet.chain.state.numbers("subtensorModule.incentive", index);
  expect([incentive(1), incentive(INDEX)]).toEqual([[0, 65535, 0], [0, 0, 65535]]);
  const [, bob, charlie] = devnet.chain.state.numbers("subtensorModule.emission", 1);
  expect(bob).toBeGreaterThan(0);
  expect(charlie).toBe(bob);
});

test("committed, they are revealed by the chain, each under its own index", async () => {
  const { devnet, alice } = await startSubnet({
    blockMs: 200,
    hyperparameters: { mechanisms: 2, commitReveal: true, weightsRateLimit: 1, tempo: 40 },
  });
  await using _devnet = devnet;
  await using client = await connect(devnet);
  const { way, reveal } = await client.setWeights({ ...CONTENT, mechanism: 1 }, alice);
  expect([way, reveal?.index]).toEqual(["committed", INDEX]);
  if (!reveal) throw new Error("Cannot go on: nothing is said of the reveal");
  expect(await client.weightsRevealed(reveal, alice.address)).toBeGreaterThanOrEqual(reveal.from);
  const weights = (index: number) =>
    devnet.chain.state.read("subtensorModule.weights", index, 0)?.toJSON();
  expect([weights(1), weights(INDEX)]).toEqual([[], [[2, 65535]]]);
});

test("a mechanism that the subnet does not have is refused before it is signed", async () => {
  const { devnet, alice } = await startSubnet();
  await using _devnet = devnet;
  await using client = await connect(devnet);
  expect(await rejection(client.setWeights({ ...CONTENT, mechanism: 1 }, alice))).toMatchObject({
    code: "invalid_request",
    message: expect.stringMatching(
      /^Cannot set weights: subnet 1 has 1 mechanism, and mechanism 1/,
    ),
  });
});
