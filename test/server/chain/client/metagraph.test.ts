import { describe, expect, onTestFinished, test } from "vitest";
import { type ChainLink, openLink } from "../../../../server/chain/client/connection.ts";
import { axonOf } from "../../../../server/chain/client/metagraph.ts";
import { metagraphFromStorage } from "../../../../server/chain/client/metagraph_storage.ts";
import { readMetagraph } from "../../../../server/chain/client/read_metagraph.ts";
import { developmentPair } from "../../../../server/chain/wallet/mod.ts";
import { PATIENCE_MS } from "../../../fixtures/patience.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { blocks, connect, NETUID, startSubnet, TAO } from "../devnet/small_subnet.ts";
import { chainProxy, type Message } from "./chain_proxy.ts";

/** A subnet that has served, weighed and paid, and a link to it whose messages are counted. */
async function busySubnet(size: number, answer = (message: Message) => message) {
  const keys = Array.from({ length: size }, (_, k) => developmentPair(`//Neuron${k}`));
  const [validator, miner] = keys;
  const { devnet } = await startSubnet({
    hyperparameters: { tempo: 4, maxValidators: 2, weightsVersion: 7, servingRateLimit: 0 },
    neurons: keys.map(({ address }, k) => ({
      hotkey: address,
      coldkey: keys[k >> 1].address,
      // Above 2^32 rao, and not the same from either end.
      stake: BigInt(size - k) * TAO * 5n + BigInt(k),
    })),
  });
  onTestFinished(() => devnet[Symbol.asyncDispose]());
  devnet.chain.state.write("subtensorModule.subnetOwnerHotkey", [NETUID], miner.address);
  await using client = await connect(devnet);
  await client.serveAxon({ ip: "10.1.2.3", port: 8091, version: 3 }, miner);
  await client.serveAxon({ ip: "2001:db8::7", port: 443 }, keys[2]);
  await client.setWeights({ uids: [1, 2], weights: [65535, 21845], versionKey: 7n }, validator);
  await blocks(client, 6);
  const asked: string[] = [];
  const endpoint = chainProxy(devnet.endpoint, {
    ask: (message) => {
      // The API subscribes on its own, some time after it is ready.
      if (!/_subscribe/.test(String(message.method))) asked.push(String(message.method));
      return message;
    },
    answer: (message, method) => method === "state_queryStorageAt" ? answer(message) : message,
  });
  const link = await openLink({ endpoint, timeoutMs: PATIENCE_MS });
  onTestFinished(() => link.api.disconnect());
  return { devnet, link, asked };
}

function headOf({ devnet }: Awaited<ReturnType<typeof busySubnet>>, number: number) {
  return { number, hash: String(devnet.chain.hashAt(number)) };
}

describe("the storage maps say what the runtime API says", () => {
  test.each([3, 10, 256])("%d neurons, field by field, in at most three round trips", async (n) => {
    const subnet = await busySubnet(n);
    const { link, asked, devnet } = subnet;
    asked.length = 0;
    const byApi = await readMetagraph(link, NETUID, devnet.chain.head);
    expect(asked).toEqual(["state_call"]);
    asked.length = 0;
    const byStorage = await metagraphFromStorage(link, NETUID, headOf(subnet, byApi.block));
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(byStorage).toEqual(byApi);
    expect(byApi.neurons).toHaveLength(n);
    // What is compared is not all zeros.
    expect(byApi.neurons[1]).toMatchObject({ axon: { ip: "10.1.2.3", port: 8091, version: 3 } });
    expect(byApi.neurons[1].incentive).toBeCloseTo(0.75, 4);
    expect(byApi.neurons[0]).toMatchObject({ validatorPermit: true, dividends: 1 });
    expect(byApi.neurons[n - 1].stake).toBeGreaterThanOrEqual(5);
    expect(byApi.hyperparameters).toMatchObject({ tempo: 4, weightsVersion: 7 });
    expect(byApi.ownerHotkey).toBe(byApi.neurons[1].hotkey);
  });
});

test("of a runtime that knows no alpha: stake by hotkey alone, and no owner's hotkey", async () => {
  const { devnet, link } = await busySubnet(3);
  const { api: { query, registry }, send } = link;
  const { totalHotkeyAlpha, subnetOwnerHotkey: _, ...rest } = query.subtensorModule;
  // Spec 218: TotalHotkeyStake is a map of hotkeys to rao.
  const asked: unknown[][] = [];
  const totalHotkeyStake = {
    creator: totalHotkeyAlpha.creator,
    key: (...keys: unknown[]) => {
      asked.push(keys);
      return totalHotkeyAlpha.key(keys[0], NETUID);
    },
  };
  const api = { registry, query: { subtensorModule: { ...rest, totalHotkeyStake } } };
  const old = { api, send } as unknown as ChainLink;
  const head = devnet.chain.head;
  const metagraph = await metagraphFromStorage(old, NETUID, head);
  expect(asked).toEqual(metagraph?.neurons.map(({ hotkey }) => [hotkey]));
  // What the chain pays until then is stake, too.
  const today = await metagraphFromStorage(link, NETUID, head);
  expect(metagraph?.neurons.map(({ stake }) => stake))
    .toEqual(today?.neurons.map(({ stake }) => stake));
  expect(metagraph?.neurons[2].stake).toBeGreaterThanOrEqual(5);
  expect(metagraph?.ownerHotkey).toBeUndefined();
});

test("an axon at 0.0.0.0 is one that was taken back", () => {
  const info = { block: 9, version: 1, ip: 0, port: 8091, ipType: 4, protocol: 4 };
  expect(axonOf(info)).toBeUndefined();
  expect(axonOf({ ...info, ipType: 6 })).toBeUndefined();
  expect(axonOf({ ...info, ip: 1, port: 0 })).toBeUndefined();
  expect(axonOf({ ...info, ip: 0x0a010203 })).toMatchObject({ ip: "10.1.2.3", port: 8091 });
});

test("a value of the storage that is cut short is an error, not a smaller number", async () => {
  let cut = false;
  const subnet = await busySubnet(3, (message) => {
    if (!cut) return message;
    const text = JSON.stringify(message).replaceAll(/("0x[0-9a-f]+)[0-9a-f]{2}"\]/g, '$1"]');
    return JSON.parse(text);
  });
  const head = subnet.devnet.chain.head;
  const read = (link: ChainLink) => metagraphFromStorage(link, NETUID, head);
  expect(await read(subnet.link)).toMatchObject({ netuid: NETUID });
  cut = true;
  expect((await rejection(read(subnet.link))).message).toMatch(/it has \d+ bytes?, and \d+ came/);
});
