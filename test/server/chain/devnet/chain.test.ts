import { expandMetadata, Metadata } from "@polkadot/types";
import type { KeyringPair } from "@polkadot/keyring/types";
import { hexToU8a, u8aToHex } from "@polkadot/util";
import { cryptoWaitReady } from "@polkadot/util-crypto";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { Chain } from "../../../../server/chain/devnet/chain.ts";
import {
  DEVNET_HYPERPARAMETERS,
  type Hyperparameters,
} from "../../../../server/chain/devnet/genesis.ts";
import { answer } from "../../../../server/chain/devnet/rpc.ts";
import { commitsOf, hashOfCommit } from "../../../../server/chain/devnet/weights.ts";
import { Store } from "../../../../server/chain/devnet/store.ts";
import { developmentPair } from "../../../../server/chain/wallet/mod.ts";
import { temporaryFolder } from "../../../fixtures/temporary_folder.ts";
import { NETUID, TAO } from "./small_subnet.ts";

let alice: KeyringPair;
let bob: KeyringPair;
let charlie: KeyringPair;

beforeAll(async () => {
  await cryptoWaitReady();
  [alice, bob, charlie] = ["//Alice", "//Bob", "//Charlie"].map(developmentPair);
});

/** A chain whose blocks are made by hand. @param stepMs from block to block. */
function chainOf(
  hyperparameters: Partial<Hyperparameters> = {},
  path = ":memory:",
  stepMs = 1000,
): Chain {
  let now = 1_700_000_000_000;
  const chain = new Chain(path, 1000, {
    netuid: NETUID,
    hyperparameters: { ...DEVNET_HYPERPARAMETERS, ...hyperparameters },
    funds: { [alice.address]: 1_000_000n * TAO },
    neurons: [
      { hotkey: alice.address, coldkey: alice.address, stake: 1000n * TAO },
      { hotkey: bob.address, coldkey: alice.address, stake: 0n },
      { hotkey: charlie.address, coldkey: alice.address, stake: 0n },
    ],
    beaconGenesis: 1_692_803_367,
  }, () => now += stepMs);
  onTestFinished(() => chain[Symbol.dispose]());
  return chain;
}

interface Signing {
  readonly nonce?: number;
  /** Blocks that the transaction lives. */
  readonly period?: number;
}

/** Signs a call as a client does, and hands it in. */
function submit(
  chain: Chain,
  pair: KeyringPair,
  call: string,
  args: readonly unknown[],
  { nonce = chain.nextNonce(pair.address), period = 64 }: Signing = {},
): string {
  const { registry, metadata, version } = chain.runtime;
  const [pallet, name] = call.split(".");
  const { tx } = expandMetadata(registry, new Metadata(registry, u8aToHex(metadata)));
  const extrinsic = registry.createType("Extrinsic", tx[pallet][name](...args), { version: 4 });
  const { number, hash } = chain.head;
  const { specVersion, transactionVersion } = version.toJSON() as Record<string, number>;
  extrinsic.sign(pair, {
    ...{ nonce, blockHash: hash, genesisHash: chain.genesisHash, tip: 0 },
    era: registry.createType("ExtrinsicEra", { current: number, period }),
    runtimeVersion: { specVersion, transactionVersion } as never,
    signedExtensions: registry.signedExtensions,
  });
  return chain.submit(extrinsic.toHex());
}

/** What the last block's transactions ended with, in words. */
function verdicts(chain: Chain): string[] {
  const { registry } = chain.runtime;
  const events = chain.state.read("system.events")?.toHuman() as unknown as readonly {
    readonly event: {
      readonly method: string;
      readonly data: { dispatchError: { Module?: { error: string } } };
    };
  }[];
  return events.flatMap(({ event: { method, data } }) => {
    if (method !== "ExtrinsicFailed") return method === "ExtrinsicSuccess" ? ["ok"] : [];
    const { dispatchError } = data;
    if (!dispatchError.Module) return [JSON.stringify(dispatchError)];
    const index = hexToU8a(dispatchError.Module.error)[0];
    const pallet = 7;
    return [registry.findMetaError(new Uint8Array([pallet, index])).name];
  }).slice(1);
}

describe("a call that goes wrong fails alone", () => {
  test("a transfer to an address that is none of an account", () => {
    const chain = chainOf();
    const to = { Address20: `0x${"11".repeat(20)}` };
    submit(chain, alice, "balances.transferKeepAlive", [to, TAO]);
    submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO]);
    chain.author();
    expect(verdicts(chain)).toEqual(['"CannotLookup"', "ok"]);
    expect(chain.nonceOf(alice.address)).toBe(2);
  });

  test("unexpectedly: it is logged, nothing changed, and blocks go on", () => {
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const chain = chainOf();
    vi.spyOn(chain.state, "attempt").mockImplementationOnce(() => {
      throw new TypeError("unforeseen");
    });
    submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO]);
    submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO]);
    chain.author();
    expect(verdicts(chain)).toEqual(['"Other"', "ok"]);
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
    const account = chain.state.read("system.account", alice.address)?.toJSON();
    expect(account).toMatchObject({ nonce: 2, data: { free: 999_999 * Number(TAO) } });
  });
});

test("a transaction that waited until its era was over is dropped, a longer one is taken", () => {
  const chain = chainOf();
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, 3n * TAO], {
    ...{ nonce: 1, period: 4 },
  });
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, 5n * TAO], {
    ...{ nonce: 2, period: 64 },
  });
  expect(chain.pending).toHaveLength(2);
  for (let block = 0; block < 5; block++) chain.author();
  expect(chain.pending).toHaveLength(1);
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce: 0 });
  chain.author();
  // Nonce 1 was the void one's.
  expect(chain.nonceOf(alice.address)).toBe(1);
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce: 1 });
  chain.author();
  expect(chain.nonceOf(alice.address)).toBe(3);
  expect(chain.state.read("system.account", bob.address)?.toJSON())
    .toMatchObject({ data: { free: 7 * Number(TAO) } });
});

test("the last block of an era takes a transaction, the next one does not", () => {
  const chain = chainOf();
  // Born at block 0: blocks 1, 2 and 3 may take it.
  for (const nonce of [2, 3]) {
    submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce, period: 4 });
  }
  chain.author();
  chain.author();
  for (const nonce of [0, 1]) {
    submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce });
  }
  chain.author();
  expect(chain.nonceOf(alice.address)).toBe(4);
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce: 5, period: 4 });
  for (let block = 0; block < 4; block++) chain.author();
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO], { nonce: 4 });
  chain.author();
  expect(chain.nonceOf(alice.address)).toBe(5);
});

test("an upgrade drops what was signed for the runtime before", () => {
  const chain = chainOf();
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO]);
  chain.upgrade();
  expect(chain.pending).toEqual([]);
  submit(chain, alice, "balances.transferKeepAlive", [bob.address, TAO]);
  chain.author();
  expect(verdicts(chain)).toEqual(["ok"]);
});

test("one registration a block, as the chain's default is", () => {
  const chain = chainOf();
  const [dave, eve] = ["//Dave", "//Eve"].map(developmentPair);
  for (const { address } of [dave, eve]) {
    submit(chain, alice, "subtensorModule.burnedRegister", [NETUID, address]);
  }
  chain.author();
  expect(verdicts(chain)).toEqual(["ok", "TooManyRegistrationsThisBlock"]);
  submit(chain, alice, "subtensorModule.burnedRegister", [NETUID, eve.address]);
  chain.author();
  expect(verdicts(chain)).toEqual(["ok"]);
});

test("weights for a uid that has changed hands since do not pay its new owner", () => {
  const chain = chainOf({ maxUids: 3, immunityPeriod: 0, tempo: 3 });
  const emission = () => chain.state.numbers("subtensorModule.emission", NETUID);
  const untilEpoch = () => {
    const index = () => chain.state.number("subtensorModule.subnetEpochIndex", NETUID);
    for (const before = index(); index() === before;) chain.author();
  };
  submit(chain, alice, "subtensorModule.setWeights", [NETUID, [1, 2], [65535, 21845], 0]);
  chain.author();
  untilEpoch();
  expect(emission()[2]).toBeGreaterThan(0);
  // Charlie earns least: their uid goes to the newcomer.
  const dave = developmentPair("//Dave");
  submit(chain, alice, "subtensorModule.burnedRegister", [NETUID, dave.address]);
  chain.author();
  expect(chain.state.number("subtensorModule.uids", NETUID, dave.address)).toBe(2);
  untilEpoch();
  expect(emission()[2]).toBe(0);
  expect(emission()[1]).toBeGreaterThan(0);
});

describe("weights, as the pallet takes them", () => {
  const NO_SALT: number[] = [];
  const SET = [NETUID, [1, 2], [30000, 20000], 0];

  test("a newly registered hotkey waits for the rate limit, one from genesis does not", () => {
    const chain = chainOf({ weightsRateLimit: 3, stakeThreshold: 0n });
    const dave = developmentPair("//Dave");
    submit(chain, alice, "subtensorModule.burnedRegister", [NETUID, dave.address]);
    submit(chain, alice, "subtensorModule.setWeights", SET);
    const registered = chain.author().number;
    expect(verdicts(chain)).toEqual(["ok", "ok"]);
    const own = [NETUID, [3], [1], 0];
    while (chain.head.number < registered + 2) {
      expect(() => submit(chain, dave, "subtensorModule.setWeights", own)).toThrow(/"custom":6/);
      chain.author();
    }
    submit(chain, dave, "subtensorModule.setWeights", own);
    chain.author();
    expect(verdicts(chain)).toEqual(["ok"]);
  });

  test("they are scaled to 65535, and rounded", () => {
    const chain = chainOf();
    submit(chain, alice, "subtensorModule.setWeights", [NETUID, [1, 2], [30000, 20001], 0]);
    chain.author();
    // 20001 * 65535 / 30000 = 43692.18; 19999 would be 43687.8.
    expect(chain.state.list("subtensorModule.weights", NETUID, 0)).toEqual([[1, 65535], [
      2,
      43692,
    ]]);
    for (let block = 0; block < 5; block++) chain.author();
    submit(chain, alice, "subtensorModule.setWeights", [NETUID, [1, 2], [30000, 19999], 0]);
    chain.author();
    expect(chain.state.list("subtensorModule.weights", NETUID, 0)).toEqual([[1, 65535], [
      2,
      43688,
    ]]);
  });

  test("stake is asked for before the pool, registration and subnet in the block", () => {
    const chain = chainOf({ weightsRateLimit: 0 });
    const dave = developmentPair("//Dave");
    expect(() => submit(chain, dave, "subtensorModule.setWeights", SET)).toThrow(/"custom":1}/);
    chain.state.write("subtensorModule.stakeThreshold", [], 0);
    submit(chain, dave, "subtensorModule.setWeights", SET);
    submit(chain, dave, "subtensorModule.burnedRegister", [77, dave.address]);
    chain.author();
    expect(verdicts(chain)).toEqual(["HotKeyNotRegisteredInSubNet", "SubnetNotExists"]);
  });

  test("where commits are demanded, too soon is no reason before the pool", () => {
    const chain = chainOf({ weightsRateLimit: 5, commitReveal: true });
    submit(chain, alice, "subtensorModule.commitWeights", [NETUID, `0x${"11".repeat(32)}`]);
    chain.author();
    submit(chain, alice, "subtensorModule.setWeights", SET);
    chain.author();
    expect(verdicts(chain)).toEqual(["CommitRevealEnabled"]);
  });

  test("a reveal takes those with it that were committed before", () => {
    const chain = chainOf({ weightsRateLimit: 0, commitReveal: true, tempo: 8 });
    const hashes = [1, 2, 3].map((weight) =>
      hashOfCommit(chain.runtime.registry, {
        ...{ netuid: NETUID, hotkey: alice.address, versionKey: 0n },
        ...{ uids: [1], values: [weight] },
      }, NO_SALT)
    );
    const epoch = () => chain.state.number("subtensorModule.subnetEpochIndex", NETUID);
    const first = epoch();
    while (epoch() === first) chain.author();
    for (const hash of hashes) {
      submit(chain, alice, "subtensorModule.commitWeights", [NETUID, hash]);
    }
    chain.author();
    while (epoch() === first + 1) chain.author();
    submit(chain, alice, "subtensorModule.revealWeights", [NETUID, [1], [2], NO_SALT, 0]);
    chain.author();
    expect(verdicts(chain)).toEqual(["ok"]);
    expect(commitsOf(chain.state, NETUID, alice.address).map(([hash]) => hash))
      .toEqual([hashes[2]]);
  });
});

describe("old state is deleted", () => {
  test("removed keys, hashes, and blocks on disk", async () => {
    const path = join(await temporaryFolder(), "chain.sqlite");
    // A pulse of the beacon every 30 blocks: each costs some milliseconds.
    const chain = chainOf({}, path, 100);
    // For the runtime's 2400, which would take as many blocks.
    expect(Number(chain.runtime.constant("system", "blockHashCount"))).toBe(2400);
    const count = chain.runtime.registry.createType("u32", 250);
    vi.spyOn(chain.runtime, "constant").mockReturnValue(count);
    const { genesisHash } = chain;
    chain.author();
    const pulse = chain.state.keys(chain.runtime.prefix("drand.pulses"))[0];
    expect(chain.state.raw(pulse, 1)).toMatch(/^0x/);
    for (let block = 0; block < 349; block++) chain.author();
    expect(chain.state.raw(pulse, 1)).toBeUndefined();
    expect(chain.hashAt(0)).toBe(genesisHash);
    const hashOf = (number: number) =>
      chain.state.raw(chain.runtime.key("system.blockHash", [number]).key);
    expect(hashOf(99)).toBeUndefined();
    expect(hashOf(100)).toMatch(/^0x/);
    expect(chain.block(50)).toBeUndefined();
    expect(chain.block(51)?.number).toBe(51);
    using store = new Store(path);
    const numbers = store.blocks().map(({ number }) => number);
    expect([numbers[0], numbers[1], numbers.at(-1), numbers.length]).toEqual([0, 51, 350, 301]);
  });
});

describe("what is asked of an older block is answered by that block", () => {
  test("state_call, runtime version, metadata", () => {
    const chain = chainOf();
    const old = chain.author();
    const before = [
      answer(chain, "state_getRuntimeVersion", []),
      answer(chain, "state_call", ["SubnetInfoRuntimeApi_get_metagraph", "0x0100"]),
      answer(chain, "state_getMetadata", []),
    ];
    chain.author();
    chain.upgrade();
    chain.author();
    const after = (hash?: string) => [
      answer(chain, "state_getRuntimeVersion", [hash]),
      answer(chain, "state_call", ["SubnetInfoRuntimeApi_get_metagraph", "0x0100", hash]),
      answer(chain, "state_getMetadata", [hash]),
    ];
    expect(after(old.hash)).toEqual(before);
    expect(after()[0]).toMatchObject({ specVersion: 425 });
    expect(after()[1]).not.toEqual(before[1]);
    expect(after()[2]).not.toEqual(before[2]);
  });

  test("after a restart the state before it is lost, which an error says", async () => {
    const path = join(await temporaryFolder(), "chain.sqlite");
    const first = chainOf({}, path);
    const [old, last] = [first.author(), first.author()];
    const second = chainOf({}, path);
    expect(answer(second, "chain_getHeader", [old.hash])).toMatchObject({ number: "0x1" });
    const read = (hash: string) =>
      answer(second, "state_getStorage", [second.runtime.key("system.number", []).key, hash]);
    expect(read(last.hash)).toBe("0x02000000");
    expect(() => read(old.hash)).toThrow(/State already discarded/);
  });
});
