import { expect, test } from "vitest";
import {
  checkReach,
  isLocalChain,
  isPublicIp,
  SubtensorClient,
} from "../../../server/chain/mod.ts";
import { peersOf } from "../../../server/validator/peers.ts";
import type { Metagraph } from "../../../server/chain/mod.ts";
import { chainProxy } from "./client/chain_proxy.ts";
import { connect, startSubnet } from "./devnet/small_subnet.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const PRIVATE = [
  ...["0.0.0.1", "10.0.0.5", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"],
  ...["100.64.0.1", "224.0.0.1", "255.255.255.255"],
  ...["::1", "::", "fe80::1", "fc00::1", "fd12::1", "::ffff:10.0.0.1", "ff02::1"],
];
const PUBLIC = ["8.8.8.8", "172.15.0.1", "100.128.0.1", "2a00:1450::1", "::ffff:8.8.8.8"];

test("isPublicIp knows what the open internet routes to", () => {
  expect(PRIVATE.filter(isPublicIp)).toEqual([]);
  expect(PUBLIC.filter(isPublicIp)).toEqual(PUBLIC);
  expect(isPublicIp("miner.example")).toBe(false);
});

test("a chain is local by what its node states, not by where the node is", async () => {
  expect(["Development", "Local"].filter(isLocalChain)).toHaveLength(2);
  expect(["Live", "Custom", "", '{"Custom":"Local"}'].filter(isLocalChain)).toEqual([]);
  const { devnet } = await startSubnet();
  await using _ = devnet;
  await using chain = await connect(devnet);
  expect(isLocalChain(chain.chainType)).toBe(true);
  // A node of the public chain on loopback, as many validators run one.
  const endpoint = chainProxy(devnet.endpoint, {
    answer: (message, method) =>
      method === "system_chainType" ? { ...message, result: "Live" } : message,
  });
  await using live = await SubtensorClient.connect({ netuid: 1, endpoint });
  expect(isLocalChain(live.chainType)).toBe(false);
});

test("a miner of a public chain serves no address at which nobody finds it", () => {
  const reach = (externalIp: string, more = {}) =>
    checkReach({ externalIp, boundTo: "0.0.0.0", allowPrivate: false, ...more });
  expect(reach("8.8.8.8")).toBe("8.8.8.8");
  expect(reach("[2a00:1450::1]", { boundTo: "::" })).toBe("2a00:1450::1");
  expect(reach("10.0.0.5", { allowPrivate: true })).toBe("10.0.0.5");
  expect(thrownBy(() => reach("10.0.0.5"))).toMatchObject({
    code: "invalid_request",
    message: expect.stringMatching(/--axon.external_ip is 10.0.0.5, which the open internet/),
  });
  expect(thrownBy(() => reach("2a00:1450::1"))).toMatchObject({
    message: expect.stringMatching(/--axon.ip 0.0.0.0 takes IPv4 alone; give --axon.ip ::/),
  });
});

test("no axon leads a validator of a public chain into its own network", () => {
  const neurons = [...PRIVATE, ...PUBLIC].map((ip, uid) => ({
    uid,
    hotkey: `hotkey ${uid}`,
    axon: { ip, port: 8091 },
  }));
  const metagraph = { neurons } as unknown as Metagraph;
  expect(peersOf(metagraph, "self", false).map(({ uid }) => neurons[uid].axon.ip)).toEqual(PUBLIC);
  expect(peersOf(metagraph, "self", true)).toHaveLength(neurons.length);
});
