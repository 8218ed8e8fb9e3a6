import { ApiPromise, WsProvider } from "@polkadot/api";
import { Keyring } from "@polkadot/keyring";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SubtensorClient } from "../../../../server/chain/client/mod.ts";
import { startDevnet } from "../../../../server/chain/devnet/mod.ts";
import { yumaConsensus } from "../../../../server/chain/devnet/consensus.ts";
import { developmentPair } from "../../../../server/chain/wallet/mod.ts";
import { runCli, scriptProcess } from "../../../fixtures/cli.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { blocks, connect, startSubnet, TAO } from "./small_subnet.ts";

test(
  "a client that knows nothing of Stepwise lists pallets, follows heads, reads and sends",
  async () => {
    const subnet = await startSubnet();
    await using devnet = subnet.devnet;
    const api = await ApiPromise.create({
      provider: new WsProvider(devnet.endpoint),
      noInitWarn: true,
    });
    try {
      const pallets = api.runtimeMetadata.asLatest.pallets.map(({ name }) => name.toString());
      expect(pallets).toEqual([
        ...["System", "Timestamp", "Balances", "SubtensorModule", "Utility", "Commitments"],
        "Drand",
      ]);
      const heads = await new Promise<number[]>((resolve) => {
        const seen: number[] = [];
        api.rpc.chain.subscribeNewHeads(({ number }) => {
          seen.push(number.toNumber());
          if (seen.length === 3) resolve(seen);
        });
      });
      expect(heads[2]).toBe(heads[0] + 2);
      expect((await api.query.subtensorModule.tempo(1)).toJSON()).toBe(20);
      const entries = await api.query.subtensorModule.keys.entries(1);
      expect(entries).toHaveLength(3);
      const alice = new Keyring({ type: "sr25519" }).addFromUri("//Alice");
      const method = await new Promise<string>((resolve, reject) => {
        api.tx.system.remarkWithEvent("0x68656c6c6f").signAndSend(alice, ({ status, events }) => {
          if (status.isFinalized) resolve(events.map(({ event }) => event.method).join());
        }).catch(reject);
      });
      expect(method).toBe("Remarked,ExtrinsicSuccess");
    } finally {
      await api.disconnect();
    }
  },
);

test("10 clients with 30 calls each at the same time: none lost, none doubled", async () => {
  const keys = Array.from({ length: 10 }, (_, k) => developmentPair(`//Client${k}`));
  const subnet = await startSubnet({
    // A transaction is void after 64 blocks: a busy machine takes long to sign and to find them all.
    blockMs: 1000,
    funds: Object.fromEntries(keys.map(({ address }) => [address, 1000n * TAO])),
  });
  await using devnet = subnet.devnet;
  const sent = await Promise.all(keys.map(async (key) => {
    await using client = await connect(devnet);
    return await Promise.all(
      Array.from({ length: 30 }, () => client.transfer(subnet.bob.address, 1_000_000n, key)),
    );
  }));
  expect(new Set(sent.flat().map(({ hash }) => hash)).size).toBe(300);
  expect(keys.map(({ address }) => devnet.chain.nonceOf(address))).toEqual(keys.map(() => 30));
  const bob = devnet.chain.state.read("system.account", subnet.bob.address)?.toJSON();
  expect(bob).toMatchObject({ data: { free: 300 * 1_000_000 } });
});

test("a chain that is stopped goes on where it was", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "devnet.sqlite");
  const first = await startSubnet({ path });
  const before = await connect(first.devnet);
  await before.transfer(first.bob.address, 7n * TAO, first.alice);
  const { chain } = first.devnet;
  const { head, genesisHash } = chain;
  await before[Symbol.asyncDispose]();
  await first.devnet[Symbol.asyncDispose]();
  const second = await startSubnet({ path });
  await using devnet = second.devnet;
  expect(devnet.chain.head.number).toBeGreaterThanOrEqual(head.number);
  expect(devnet.chain.genesisHash).toBe(genesisHash);
  expect(devnet.chain.nonceOf(first.alice.address)).toBe(1);
  await using client = await connect(devnet);
  await client.transfer(first.bob.address, TAO, first.alice);
  const bob = devnet.chain.state.read("system.account", first.bob.address)?.toJSON();
  expect(bob).toMatchObject({ data: { free: 8_000_000_000 } });
  await Deno.remove(folder, { recursive: true });
});

test(
  "killed in the middle of blocks as a process, it goes on, and a client reconnects",
  async () => {
    const folder = await Deno.makeTempDir();
    const start = async (port: number) => {
      const process = scriptProcess("server/main.ts", [
        ...["devnet", "--port", String(port), "--block-time", "0.05"],
        ...["--state", join(folder, "chain.sqlite")],
        ...["--register", "//Alice:1000", "--register", "//Bob"],
      ], { stdout: "piped", stderr: "inherit" }).spawn();
      const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const { value } = await reader.read();
      const [, endpoint, number] = /at (ws:\S+), block (\d+)/.exec(value ?? "") ?? [];
      return { process, reader, endpoint, block: Number(number) };
    };
    const first = await start(0);
    const port = Number(new URL(first.endpoint).port);
    await using client = await SubtensorClient.connect({
      network: "devnet",
      endpoint: first.endpoint,
      netuid: 1,
    });
    const alice = developmentPair("//Alice");
    await client.transfer(developmentPair("//Bob").address, TAO, alice);
    await blocks(client, 5);
    const seen = client.block;
    first.process.kill("SIGKILL");
    await first.process.status;
    await first.reader.cancel();
    const second = await start(port);
    expect(second.block).toBeGreaterThanOrEqual(seen - 1);
    // By the same client, over a socket that it opened again by itself.
    await client.transfer(developmentPair("//Bob").address, TAO, alice);
    expect((await client.metagraph()).neurons).toHaveLength(2);
    second.process.kill("SIGTERM");
    expect((await second.process.status).code).toBe(0);
    await second.reader.cancel();
    await Deno.remove(folder, { recursive: true });
  },
);

describe("devnet faucet and register", () => {
  test("take a development key or an address", async () => {
    const subnet = await startSubnet();
    await using devnet = subnet.devnet;
    const at = ["--endpoint", devnet.endpoint];
    const eve = developmentPair("//Eve").address;
    expect(await runCli(["devnet", "faucet", "//Eve", "7", ...at])).toMatchObject({ code: 0 });
    const { code, stdout } = await runCli(["devnet", "register", eve, "--stake", "5", ...at]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${eve} has uid 3 on subnet 1\n` });
    const more = await runCli(["devnet", "register", "//Eve", "--stake", "5", ...at]);
    expect(more).toMatchObject({ code: 0, stdout });
    expect(devnet.chain.state.read("system.account", eve)?.toJSON())
      .toMatchObject({ data: { free: 7_000_000_000 } });
  });

  test.each([
    [
      ["faucet", "5Grw", "1"],
      /^Cannot use the devnet: 5Grw is no address \(.*\), and no \/\/Key\.$/,
    ],
    [["register", "nobody"], /^Cannot use the devnet: nobody is no address/],
    [["faucet", "//Alice", "lots"], /^Cannot use the devnet: the amount is lots/],
    [["--register", "5Grw:10", "--port", "0"], /^Cannot use the devnet: 5Grw is no address/],
  ])("%j is refused in one line", async (args, words) => {
    const { code, stderr } = await runCli(["devnet", ...args]);
    expect(code).toBe(2);
    expect(stderr.trim()).toMatch(words);
    expect(stderr.trim()).not.toContain("\n");
  });
});

test("without a devnet, faucet says how to start one", async () => {
  const { code, stderr } = await runCli(
    ["devnet", "faucet", "//Eve", "7", "--endpoint", "ws://127.0.0.1:1"],
  );
  expect(code).toBe(2);
  expect(stderr).toContain(
    "Cannot reach the devnet: no node answers at ws://127.0.0.1:1; deno task devnet starts one, " +
      "and --endpoint names another.",
  );
});

test("a port that is taken is one line", async () => {
  const subnet = await startSubnet();
  await using devnet = subnet.devnet;
  const port = Number(new URL(devnet.endpoint).port);
  const error = await rejection(startDevnet({ port, blockMs: 1000 }));
  expect(error).toMatchObject({ code: "address_in_use" });
});

test("Yuma consensus of three validators, by hand", () => {
  // Shares of stake 0.5, 0.3, 0.2; validators 0 and 1 agree on 0.5/0.5, validator 2 gives all to 4.
  const weights = [[0, 0, 0, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [], []];
  const { consensus, incentive, dividends } = yumaConsensus({
    stake: [5, 3, 2, 0, 0],
    weights,
    kappa: 0.5,
  });
  expect(consensus).toEqual([0, 0, 0, 0.5, 0.5]);
  // Clipped: 3 gets (0.5 + 0.3) * 0.5, 4 gets that and 0.2 * 0.5.
  expect(incentive[3]).toBeCloseTo(0.4 / 0.9, 12);
  expect(incentive[4]).toBeCloseTo(0.5 / 0.9, 12);
  // Bonds: of 3 (5/8, 3/8, 0), of 4 (0.5, 0.3, 0.2).
  expect(dividends[2]).toBeCloseTo(0.2 * 0.5 / 0.9, 12);
  expect(dividends.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 12);
});
