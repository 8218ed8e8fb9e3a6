import { describe, expect, test } from "vitest";
import { firstRevealBlock, revealRound } from "../../../../server/chain/client/mod.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { blocks, connect, startSubnet } from "../devnet/small_subnet.ts";

const weights = { uids: [1, 2], weights: [65535, 65535], versionKey: 0n };

test("timelocked: the chain reveals by itself, and the epoch after pays", async () => {
  const subnet = await startSubnet({
    blockMs: 200,
    // An epoch is longer than two rounds of the beacon: the commit's is public before it is over.
    hyperparameters: { tempo: 40, commitReveal: true, weightsRateLimit: 1 },
  });
  await using devnet = subnet.devnet;
  await using client = await connect(devnet);
  const outcome = await client.setWeights(weights, subnet.alice);
  expect(outcome).toMatchObject({ way: "committed" });
  expect((await client.metagraph()).neurons.map(({ incentive }) => incentive)).toEqual([0, 0, 0]);
  const { reveal } = outcome;
  if (!reveal) throw new Error("Cannot go on: nothing is said of the reveal");
  const [own, others] = await Promise.all([
    client.weightsRevealed(reveal, subnet.alice.address),
    client.weightsRevealed({ ...reveal, until: reveal.from + 10 }, subnet.bob.address),
  ]);
  expect(own).toBeGreaterThanOrEqual(reveal.from);
  expect(own).toBeLessThan(reveal.until);
  expect(others).toBeUndefined();
  const paid = Promise.withResolvers<number>();
  const end = client.onBlock(async (block) => {
    const { neurons } = await client.metagraph();
    if (neurons[1].incentive > 0) paid.resolve(block);
  });
  expect(await paid.promise).toBeGreaterThan(outcome.block);
  end();
  const { neurons } = await client.metagraph();
  expect(neurons[1].incentive).toBeCloseTo(0.5, 3);
});

describe("hash commit-reveal", () => {
  test("too early, wrong salt, in time, twice, too late", async () => {
    const subnet = await startSubnet({
      // So long that what is asked for in an epoch is done in it, on a busy machine too.
      hyperparameters: { tempo: 120, commitReveal: true, weightsRateLimit: 1 },
    });
    await using devnet = subnet.devnet;
    await using client = await connect(devnet);
    const epoch = () => devnet.chain.state.number("subtensorModule.subnetEpochIndex", 1);
    const untilEpoch = async (index: number) => {
      while (epoch() < index) devnet.chain.author();
      const { number } = devnet.chain.head;
      while (client.block < number) await blocks(client, 1);
    };
    await untilEpoch(1);
    const commit = client.hashCommit(weights, subnet.alice.address);
    await client.commitWeights(commit, subnet.alice);
    const early = await rejection(client.revealWeights(commit, subnet.alice));
    expect(early.message).toMatch(/CommitBlockNotInRevealRange|RevealTooEarly/);
    await untilEpoch(2);
    const salted = { ...commit, salt: commit.salt.map((word) => word ^ 1) };
    const wrong = await rejection(client.revealWeights(salted, subnet.alice));
    expect(wrong.message).toMatch(/CommitNotFound|InvalidRevealCommitHashNotMatch/);
    await client.revealWeights(commit, subnet.alice);
    const twice = await rejection(client.revealWeights(commit, subnet.alice));
    expect(twice.message).toMatch(/CommitNotFound|NoWeightsCommitFound/);
    const next = client.hashCommit(weights, subnet.alice.address);
    await client.commitWeights(next, subnet.alice);
    await untilEpoch(epoch() + 3);
    const late = await rejection(client.revealWeights(next, subnet.alice));
    expect(late.message).toMatch(/CommitBlockNotInRevealRange|ExpiredWeightCommit/);
  });
});

describe("the epoch that reveals a commit", () => {
  const state = {
    head: 10,
    lastEpochBlock: 10,
    pendingEpochAt: 0,
    subnetEpochIndex: 0,
    tempo: 50,
    blocksSinceLastStep: 0,
    revealPeriodEpochs: 1,
  };

  // Upstream's vectors, as facts of the chain.
  test.each([
    [state, 60],
    [{ ...state, head: 91, lastEpochBlock: 80, pendingEpochAt: 95, tempo: 20 }, 95],
    [{ ...state, revealPeriodEpochs: 3 }, 160],
    // The next block begins an epoch: a commit in it counts to that one.
    [{ ...state, head: 59 }, 110],
  ])("%o -> block %d", (state, block) => {
    expect(firstRevealBlock(state)).toBe(block);
  });

  test("a tempo of 0 has none", () => {
    expect(() => firstRevealBlock({ ...state, tempo: 0 })).toThrow(/tempo is 0/);
  });

  test("the round is three blocks later, and never before the first", () => {
    const beacon = { publicKey: new Uint8Array(96), genesisTime: 1_692_803_367, period: 3 };
    const at = { now: 1_700_000_000, blockSeconds: 12 };
    // (now + (60 + 3 - 10) * 12 - genesis) / 3
    expect(revealRound(state, beacon, at)).toBe(2_399_089n);
    expect(revealRound(state, beacon, { ...at, now: 0 })).toBe(1n);
    // Five blocks of 0.2 s: round 2398878 came out 2 s ago, the next one comes in 1 s.
    const fast = { ...at, blockSeconds: 0.2 };
    expect(revealRound({ ...state, head: 58 }, beacon, fast)).toBe(2_398_879n);
  });
});
