import { expect, onTestFinished, test, vi } from "vitest";
import { SubnetWatch, SubtensorClient } from "../../../../server/chain/client/mod.ts";
import { PATIENCE_MS } from "../../../fixtures/patience.ts";
import { NETUID, startSubnet } from "../devnet/small_subnet.ts";
import { chainProxy } from "./chain_proxy.ts";

const NOBODY = "ws://127.0.0.1:9";
/** Tries to connect again, one a second: enough to see that they are not logged one by one. */
const TRIES = 3;

test("a lost chain is one event when it is lost and one when it is back", async () => {
  const subnet = await startSubnet();
  onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
  const other = await startSubnet();
  onTestFinished(() => other.devnet[Symbol.asyncDispose]());
  let node = subnet.devnet.endpoint;
  let drop = () => {};
  let tries = 0;
  const endpoint = chainProxy(() => node, {
    opened: (last) => {
      drop = last;
      tries++;
    },
  });
  await using client = await SubtensorClient.connect({ endpoint, netuid: NETUID, timeoutMs: 4000 });
  const events: string[] = [];
  using watch = await SubnetWatch.open(client, (event, facts, level) => {
    events.push([event, level ?? "info", ...(facts.why ? [facts.why] : [])].join(" "));
  });
  // Whatever was being read when the chain went fails as well, and is told of by itself.
  const ofChain = () => events.filter((event) => event.startsWith("chain_"));
  const leadTo = (to: string) => {
    node = to;
    drop();
  };
  const bob = subnet.bob.address;
  expect(watch.problems(bob)).toEqual([]);
  expect(watch.problems(subnet.dave.address)).toEqual([
    `The hotkey ${subnet.dave.address} is not registered on subnet ${NETUID}.`,
  ]);

  leadTo(NOBODY);
  const before = tries;
  await vi.waitFor(() => expect(tries).toBeGreaterThanOrEqual(before + TRIES), PATIENCE_MS);
  const lost = `the node at ${endpoint} does not answer`;
  expect(ofChain()).toEqual([`chain_lost warn ${lost}`]);
  expect(watch.problems(bob)).toEqual([`The chain is out of reach: ${lost}.`]);

  leadTo(subnet.devnet.endpoint);
  await vi.waitFor(() => expect(ofChain()).toHaveLength(2), PATIENCE_MS);
  expect(ofChain()[1]).toBe("chain_back info");
  // With its next block.
  await vi.waitFor(() => expect(watch.problems(bob)).toEqual([]), PATIENCE_MS);

  leadTo(other.devnet.endpoint);
  await vi.waitFor(() => expect(ofChain()).toHaveLength(4), PATIENCE_MS);
  expect(ofChain().slice(2)).toEqual([
    `chain_lost warn ${lost}`,
    expect.stringMatching(/^chain_lost warn .*its genesis is 0x.* now, and was 0x/),
  ]);

  // polkadot subscribes again on each socket; that another chain refuses it ends nothing.
  leadTo(subnet.devnet.endpoint);
  await vi.waitFor(() => expect(ofChain().at(-1)).toBe("chain_back info"), PATIENCE_MS);
  await vi.waitFor(() => expect(watch.problems(bob)).toEqual([]), PATIENCE_MS);
});
