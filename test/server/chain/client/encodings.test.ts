import { expandMetadata, Metadata } from "@polkadot/types";
import { u8aToHex } from "@polkadot/util";
import { describe, expect, onTestFinished, test } from "vitest";
import { type HashCommit, SubtensorClient } from "../../../../server/chain/client/mod.ts";
import { decodeWhole } from "../../../../server/chain/client/decode.ts";
import { Runtime } from "../../../../server/chain/devnet/runtime.ts";
import golden from "../../../golden/subtensor_calls.json" with { type: "json" };
import { NETUID, type SmallSubnet, startSubnet } from "../devnet/small_subnet.ts";
import { chainProxy } from "./chain_proxy.ts";

// Of the real chain's metadata, spec 424: see test/golden/README.md.
const runtime = new Runtime(12_000);
const { registry } = runtime;
const { tx } = expandMetadata(registry, new Metadata(registry, u8aToHex(runtime.metadata)));

describe("the devnet's runtime encodes as spec 424 of the real chain", () => {
  test.each(golden.calls)("$section.$method", ({ section, method, args, call, payload }) => {
    expect(tx[section][method](...args).toHex()).toBe(call);
    const era = registry.createType("ExtrinsicEra", golden.era);
    const signed = registry.createType("ExtrinsicPayload", {
      ...{ method: call, era, nonce: golden.nonce, tip: 0, mode: 0, metadataHash: null },
      ...{ specVersion: golden.spec, transactionVersion: 1 },
      ...{ genesisHash: golden.genesisHash, blockHash: golden.blockHash },
    }, { version: 4 });
    expect(u8aToHex(signed.toU8a({ method: true }))).toBe(payload);
  });

  test.each(golden.storage)("$section.$item", ({ section, item, keys, key, value, json }) => {
    const { key: own, type } = runtime.key(`${section}.${item}`, keys);
    expect(own).toBe(key);
    expect(decodeWhole(registry, type, value).toJSON()).toEqual(json);
  });

  test("Metagraph", () => {
    const type = String(runtime.apiOutput("SubnetInfoRuntimeApi_get_metagraph"));
    expect(decodeWhole(registry, type, golden.metagraph.value).toJSON())
      .toEqual(golden.metagraph.json);
  });
});

describe("the client sends those bytes", () => {
  /** What the client submits, as the bytes of its calls. */
  async function sent(
    commitReveal: boolean,
    act: (client: SubtensorClient, subnet: SmallSubnet) => Promise<unknown>,
  ): Promise<string> {
    const subnet = await startSubnet({ hyperparameters: { commitReveal } });
    onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
    const calls: string[] = [];
    const endpoint = chainProxy(subnet.devnet.endpoint, {
      ask: (message) => {
        if (message.method === "author_submitExtrinsic") {
          const { method } = registry.createType("Extrinsic", message.params?.[0]);
          calls.push(method.toHex());
        }
        return message;
      },
    });
    await using client = await SubtensorClient.connect({ endpoint, netuid: NETUID });
    // What the chain says of it is not asked here.
    await act(client, subnet).catch(() => {});
    expect(calls).toHaveLength(1);
    return calls[0];
  }

  const weights = { uids: [1, 2], weights: [65535, 32768], versionKey: 10n };
  const commit: HashCommit = {
    ...{ ...weights, salt: [1, 2, 3, 65535] },
    hash: `0x${"ab".repeat(32)}`,
  };
  const acts: Readonly<
    Record<string, (client: SubtensorClient, subnet: SmallSubnet) => Promise<unknown>>
  > = {
    "serveAxon, IPv4": (client, { bob }) => client.serveAxon({ ip: "10.1.2.3", port: 8091 }, bob),
    "serveAxon, IPv6": (client, { bob }) =>
      client.serveAxon({ ip: "2001:db8::7", port: 65535 }, bob),
    setWeights: (client, { alice }) => client.setWeights(weights, alice),
    commitWeights: (client, { alice }) => client.commitWeights(commit, alice),
    revealWeights: (client, { alice }) => client.revealWeights(commit, alice),
    burnedRegister: (client, { alice, bob }) => client.register(bob.address, alice),
    addStake: (client, { alice, bob }) => client.addStake(bob.address, 5_000_000_000n, alice),
    transferKeepAlive: (client, { alice, bob }) =>
      client.transfer(bob.address, 1_000_000_001n, alice),
  };
  const expected = golden.calls.filter(({ method }) => method !== "commitTimelockedWeights");

  test.each(Object.entries(acts).map(([name, act], k) => ({ name, act, ...expected[k] })))(
    "$name",
    async ({ name, act, method, call }) => {
      expect(name.startsWith(method)).toBe(true);
      expect(await sent(false, act)).toBe(call);
    },
  );

  test("commitTimelockedWeights", async () => {
    const call = await sent(true, acts.setWeights);
    const like = golden.calls.find(({ method }) => method === "commitTimelockedWeights")?.call ??
      "";
    // Pallet, call and netuid before the commit, the commit-reveal version after the round.
    expect(call.slice(0, 10)).toBe(like.slice(0, 10));
    expect(call.slice(-4)).toBe(like.slice(-4));
    expect(registry.createType("Call", call).toHex()).toBe(call);
  });
});
