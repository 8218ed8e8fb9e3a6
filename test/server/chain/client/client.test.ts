import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { Command } from "commander";
import { storageItem } from "../../../../server/chain/client/decode.ts";
import { SubtensorClient } from "../../../../server/chain/client/mod.ts";
import {
  isNonceRefusal,
  isRuntimeRefusal,
  poolRefusal,
} from "../../../../server/chain/client/refusals.ts";
import { addChainOptions, type ChainFlags, chainOptions } from "../../../../server/chain/mod.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import {
  blocks,
  connect,
  NETUID,
  type SmallSubnet,
  startSubnet,
  TAO,
} from "../devnet/small_subnet.ts";

let subnet: SmallSubnet;
let client: SubtensorClient;

beforeAll(async () => {
  subnet = await startSubnet({
    hyperparameters: { tempo: 10, weightsRateLimit: 2, maxValidators: 1 },
  });
  client = await connect(subnet.devnet);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await subnet.devnet[Symbol.asyncDispose]();
});

const PLACE = { chain: "Bittensor" };

describe("metagraph", () => {
  test("neurons by uid, with stake, permit and rules", async () => {
    const { neurons, hyperparameters, netuid } = await client.metagraph();
    expect(netuid).toBe(NETUID);
    expect(neurons.map(({ hotkey }) => hotkey))
      .toEqual([subnet.alice, subnet.bob, subnet.charlie].map(({ address }) => address));
    expect(neurons[0]).toMatchObject({ uid: 0, validatorPermit: true, active: true });
    expect(neurons[0].stake).toBeGreaterThanOrEqual(1000);
    expect(neurons[1]).toMatchObject({ validatorPermit: false, coldkey: subnet.alice.address });
    expect(hyperparameters).toMatchObject({ tempo: 10, commitRevealEnabled: false });
  });

  test("a subnet that does not exist is an error that says so", async () => {
    await using other = await connect(subnet.devnet, 77);
    expect(await rejection(other.metagraph())).toMatchObject({
      code: "invalid_request",
      message: "Cannot read the subnet: netuid 77 does not exist on this chain; check --netuid",
    });
  });
});

test("blocks come one after the other", async () => {
  const seen: number[] = [];
  const end = client.onBlock((block) => seen.push(block));
  await blocks(client, 5);
  end();
  expect(seen.length).toBeGreaterThanOrEqual(5);
  for (const [k, block] of seen.slice(1).entries()) expect(block).toBe(seen[k] + 1);
});

describe("serveAxon", () => {
  test.each([["10.1.2.3", 8091], ["2001:db8::7", 65535]])("%s port %d", async (ip, port) => {
    await client.serveAxon({ ip, port }, subnet.bob);
    const { neurons } = await client.metagraph();
    expect(neurons[1].axon).toMatchObject({ ip, port, protocol: 4 });
  });

  test("an unregistered hotkey is asked to register", async () => {
    const error = await rejection(client.serveAxon({ ip: "10.1.2.3", port: 1 }, subnet.dave));
    expect(error).toMatchObject({ code: "not_registered" });
    expect(error.message).toContain(
      "HotKeyNotRegisteredInNetwork; register the hotkey: deno task devnet register HOTKEY",
    );
  });

  test.each([
    ...[["127.0.0.1", 80], ["255.255.255.255", 80], ["0.0.0.0", 80], ["::1", 80], ["::", 80]],
    ...[["10.0.0.1", 0], ["10.0.0", 1]],
  ] as [string, number][])(
    "%s port %d is refused before it is sent",
    async (ip, port) => {
      const error = await rejection(client.serveAxon({ ip, port }, subnet.bob));
      expect(error).toMatchObject({ code: "invalid_request" });
    },
  );
});

describe("setWeights", () => {
  test("the epoch turns them into incentive", async () => {
    const weights = { uids: [1, 2], weights: [65535, 21845], versionKey: 0n };
    const outcome = await client.setWeights(weights, subnet.alice);
    expect(outcome.way).toBe("set");
    expect(outcome.events.map(({ method }) => method)).toContain("WeightsSet");
    await blocks(client, 21);
    const { neurons } = await client.metagraph();
    expect(neurons[1].incentive).toBeCloseTo(0.75, 4);
    expect(neurons[2].incentive).toBeCloseTo(0.25, 4);
    expect(neurons[0].dividends).toBeCloseTo(1, 4);
  });

  test.each([
    [{ uids: [1, 9], weights: [1, 1], versionKey: 0n }, /uid 9 is not on the subnet/],
    [{ uids: [1, 1], weights: [1, 1], versionKey: 0n }, /a uid is there twice/],
    [{ uids: [1], weights: [1, 1], versionKey: 0n }, /1 uids have 2 weights/],
    [{ uids: [1, 2], weights: [0, 0], versionKey: 0n }, /no weight is above 0/],
    [{ uids: [1, 2], weights: [NaN, 1], versionKey: 0n }, /a weight is no u16/],
  ])("%o is refused before it is sent", async (weights, message) => {
    expect((await rejection(client.setWeights(weights, subnet.alice))).message).toMatch(message);
  });

  test("without a permit, and without registration", async () => {
    const weights = { uids: [0, 2], weights: [1, 1], versionKey: 0n };
    expect((await rejection(client.setWeights(weights, subnet.bob))).message)
      .toMatch(/has no validator permit/);
    expect(await rejection(client.setWeights(weights, subnet.dave)))
      .toMatchObject({ code: "not_registered" });
  });
});

test("the owner's hotkey needs no permit", async () => {
  const { alice, bob, devnet } = await startSubnet({
    hyperparameters: { maxValidators: 1, stakeThreshold: 0n },
  });
  onTestFinished(() => devnet[Symbol.asyncDispose]());
  await using client = await connect(devnet);
  const weights = { uids: [0, 2], weights: [1, 1], versionKey: 0n };
  expect(await client.metagraph()).not.toMatchObject({ ownerHotkey: bob.address });
  expect((await rejection(client.setWeights(weights, bob))).message).toMatch(/no validator permit/);
  devnet.chain.state.write("subtensorModule.subnetOwnerHotkey", [NETUID], bob.address);
  const { neurons, ownerHotkey } = await client.metagraph();
  expect(ownerHotkey).toBe(bob.address);
  expect(neurons.map(({ validatorPermit }) => validatorPermit)).toEqual([true, false, false]);
  expect(await client.setWeights(weights, bob)).toMatchObject({ way: "set" });
  expect(alice.address).not.toBe(ownerHotkey);
});

test("more than an account has is refused by the chain's name for it", async () => {
  const transfer = client.transfer(subnet.bob.address, 2_000_000n * TAO, subnet.alice);
  expect(await rejection(transfer)).toMatchObject({
    code: "chain_refused",
    message: "Cannot transfer TAO: the chain says FundsUnavailable; the account needs more TAO",
  });
});

test("register, stake, and a second registration is refused by the chain's name for it", async () => {
  await client.register(subnet.dave.address, subnet.dave);
  await client.addStake(subnet.dave.address, 5n * TAO, subnet.dave);
  const { neurons } = await client.metagraph();
  expect(neurons[3]).toMatchObject({ hotkey: subnet.dave.address });
  expect(neurons[3].stake).toBeGreaterThanOrEqual(5);
  const error = await rejection(client.register(subnet.dave.address, subnet.dave));
  expect(error).toMatchObject({ code: "chain_refused" });
  expect(error.message).toMatch(/the chain says HotKeyAlreadyRegisteredInSubNet/);
});

test("parallel calls of one key are all taken, in the order of their nonces", async () => {
  const sent = Array.from(
    { length: 20 },
    (_, k) => client.transfer(subnet.bob.address, TAO + BigInt(k), subnet.alice),
  );
  const taken = await Promise.all(sent);
  expect(new Set(taken.map(({ hash }) => hash)).size).toBe(20);
});

test("an endpoint that is down is one line", async () => {
  const refused = SubtensorClient.connect({
    network: "devnet",
    endpoint: "ws://127.0.0.1:9",
    netuid: NETUID,
    timeoutMs: 5000,
  });
  const error = await rejection(refused);
  expect(error).toMatchObject({ code: "chain_unreachable" });
  expect(error.message).toMatch(
    /Cannot connect to the chain at ws:\/\/127.0.0.1:9: .*is a node there/,
  );
});

test("a chain that is not finney is not taken for it", async () => {
  const error = await rejection(SubtensorClient.connect({
    network: "finney",
    endpoint: subnet.devnet.endpoint,
    netuid: NETUID,
  }));
  expect(error).toMatchObject({ code: "chain_invalid" });
  expect(error.message).toMatch(
    /its genesis is 0x.*, not that of finney; --subtensor.network names another/,
  );
});

test("an endpoint alone is used whatever its chain is, one of a named network is not", async () => {
  const at = (more: readonly string[]) => {
    const command = addChainOptions(new Command());
    command.parse(["--subtensor.chain_endpoint", subnet.devnet.endpoint, ...more], {
      from: "user",
    });
    return chainOptions(command.opts<ChainFlags>());
  };
  await using client = await SubtensorClient.connect(at([]));
  expect((await client.metagraph()).neurons.length).toBeGreaterThanOrEqual(3);
  expect(await rejection(SubtensorClient.connect(at(["--subtensor.network", "finney"]))))
    .toMatchObject({ code: "chain_invalid" });
  await using named = await SubtensorClient.connect(at(["--subtensor.network", "devnet"]));
  expect(named.endpoint).toBe(subnet.devnet.endpoint);
});

describe("what a node's errors mean", () => {
  // As polkadot.js says them: Substrate's code, message and data; or, of nodes that run the runtime
  // and no more (chopsticks), the runtime's value as JSON.
  test.each([
    ["1010: Invalid Transaction: Transaction is outdated", true, false],
    ["1013: Transaction is already imported", true, false],
    ["1014: Priority is too low: (10 vs 10)", true, false],
    ["1010: Invalid Transaction: Transaction has a bad signature", false, true],
    ["1002: Verification Error: Runtime error: Execution failed", false, true],
    ["1001: Extrinsic has invalid format: Codec error", false, true],
    ['1010: {"invalid":{"stale":null}}', true, false],
    ['1010: {"invalid":{"badProof":null}}', false, true],
    ['1010: {"invalid":{"custom":6}}', false, false],
    ["1010: Invalid Transaction: Inability to pay some fees, of 1013 or 1002 rao", false, false],
    ["1016: Immediately Dropped: 1013 transactions wait", false, false],
  ])("%s: of the nonce %s, of the runtime %s", (words, nonce, runtime) => {
    expect(isNonceRefusal(new Error(words))).toBe(nonce);
    expect(isRuntimeRefusal(new Error(words))).toBe(runtime);
  });
});

describe("a refusal by number is reported by its name", () => {
  // common/src/transaction_error.rs and extensions/subtensor.rs of subtensor; 218: its lib.rs.
  test.each([
    ["Custom error: 6", 424, /the chain says RateLimitExceeded; wait for/],
    ["Custom error: 1", 459, /the chain says StakeAmountTooLow; add stake/],
    ["Custom error: 21", 424, /the chain says ColdkeySwapDisputed; the coldkey's swap/],
    // NonAssociatedColdKey for one spec, CommitRevealEnabled for another.
    ["Custom error: 25", 424, /the chain says its custom error 25$/],
    ["Custom error: 3", 300, /the chain says its custom error 3$/],
    ["Custom error: 3", 218, /the chain says NotEnoughStakeToSetWeights; add stake/],
    ["Inability to pay some fees (e.g. account balance too low)", 424, /says Payment; .*TAO$/],
  ])("%s, spec %d", (data, spec, words) => {
    const refusal = poolRefusal(
      "set weights",
      new Error(`1010: Invalid Transaction: ${data}`),
      spec,
      PLACE,
    );
    expect(refusal).toMatchObject({ code: "chain_refused" });
    expect(refusal.message).toMatch(words);
  });

  test.each([
    ['{"invalid":{"custom":19}}', /the chain says UidNotFound; register/],
    ['{"invalid":{"payment":null}}', /the chain says Payment;/],
  ])("%s", (data, words) => {
    expect(poolRefusal("set weights", new Error(`1010: ${data}`), 424, PLACE).message).toMatch(
      words,
    );
  });
});

test("an item that the runtime lacks is named", () => {
  expect(() => storageItem({}, "subtensorModule", "lastEpochBlock", "set weights")).toThrow(
    expect.objectContaining({
      code: "chain_invalid",
      message: expect.stringMatching(
        /^Cannot set weights: the chain's runtime has no storage subtensorModule.lastEpochBlock;/,
      ),
    }),
  );
});

test("waiting for a block ends with an error when the client is closed", async () => {
  const other = await connect(subnet.devnet);
  const reveal = { index: 1, round: 1n, from: other.block + 1000, until: other.block + 1000 };
  const waiting = rejection(other.weightsRevealed(reveal, subnet.alice.address));
  await other[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ code: "cancelled" });
});
