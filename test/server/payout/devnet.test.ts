import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { SubtensorClient } from "../../../server/chain/mod.ts";
import { type PayoutChain, Payouts } from "../../../server/payout/mod.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";
import { connect, type SmallSubnet, startSubnet, TAO } from "../chain/devnet/small_subnet.ts";

async function treasury(): Promise<{
  readonly subnet: SmallSubnet;
  readonly client: SubtensorClient;
  readonly chain: PayoutChain;
}> {
  const subnet = await startSubnet();
  onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
  const client = await connect(subnet.devnet);
  onTestFinished(() => client[Symbol.asyncDispose]());
  return {
    ...{ subnet, client },
    chain: {
      sign: (transfers) => client.transfers.sign(transfers, subnet.dave),
      send: (signed) => client.transfers.send(signed),
      outcome: (signed) => client.transfers.outcome(signed),
    },
  };
}

function freeOf({ devnet }: SmallSubnet, address: string): bigint {
  const account = devnet.chain.state.read("system.account", address)?.toJSON() as {
    readonly data: { readonly free: number };
  };
  return BigInt(account.data.free);
}

/** A ledger in which Bob is owed 3 TAO, and Charlie 2. */
async function owing(subnet: SmallSubnet, bobs = 3n): Promise<{ path: string; payouts: Payouts }> {
  const path = join(await temporaryFolder(), "payouts.sqlite");
  const payouts = new Payouts(path);
  payouts.register("bob", subnet.bob.address, "test");
  payouts.register("charlie", subnet.charlie.address, "test");
  payouts.earn("bob", bobs * TAO, "epoch 1");
  payouts.earn("charlie", 2n * TAO, "epoch 1");
  payouts.approve(1n, "test");
  return { path, payouts };
}

test("one transaction pays all; where one cannot be paid, none is", async () => {
  const { subnet, chain } = await treasury();
  const { payouts } = await owing(subnet);
  expect(await payouts.send(chain)).toMatchObject([{ state: "paid" }]);
  expect([subnet.bob, subnet.charlie].map(({ address }) => freeOf(subnet, address)))
    .toEqual([3n * TAO, 2n * TAO]);
  // Dave has a thousand.
  payouts.earn("charlie", 1n * TAO, "epoch 2");
  payouts.earn("bob", 1_000n * TAO, "epoch 2");
  payouts.approve(1n, "test");
  const [outcome] = await payouts.send(chain);
  expect(outcome).toMatchObject({
    state: "refused",
    why: "Cannot transfer TAO: the chain says FundsUnavailable; the account needs more TAO",
  });
  expect(freeOf(subnet, subnet.charlie.address)).toBe(2n * TAO);
  payouts[Symbol.dispose]();
});

test("killed after the node had it: the next run finds it in its block, and sends nothing", async () => {
  const { subnet, chain, client } = await treasury();
  const { path, payouts } = await owing(subnet);
  const send = async (signed: Parameters<PayoutChain["send"]>[0]) => {
    await client.transfers.send(signed);
    throw new Error("killed");
  };
  expect(await rejection(payouts.send({ ...chain, send }))).toMatchObject({ message: "killed" });
  payouts[Symbol.dispose]();
  using again = new Payouts(path);
  expect(await again.send(chain)).toMatchObject([{ state: "paid" }]);
  expect(freeOf(subnet, subnet.bob.address)).toBe(3n * TAO);
  expect(freeOf(subnet, subnet.dave.address)).toBe(995n * TAO);
});

test("killed before the node had it: the same bytes are sent by the next run", async () => {
  const { subnet, chain } = await treasury();
  const { path, payouts } = await owing(subnet);
  const killed = { ...chain, send: () => Promise.reject(new Error("killed")) };
  expect(await rejection(payouts.send(killed))).toMatchObject({ message: "killed" });
  const [{ hash }] = payouts.payments();
  payouts[Symbol.dispose]();
  using again = new Payouts(path);
  expect(await again.send(chain)).toMatchObject([{ state: "paid" }]);
  expect(again.payments().map((payment) => payment.hash)).toEqual([hash, hash]);
  expect(freeOf(subnet, subnet.dave.address)).toBe(995n * TAO);
});
