import { expect, onTestFinished, test } from "vitest";
import { openWallet } from "../../../server/chain/mod.ts";
import { Ledger } from "../../../server/validator/ledger/mod.ts";
import { WeightsLoop } from "../../../server/validator/weights_loop.ts";
import { connect, startSubnet } from "../chain/devnet/small_subnet.ts";

/** `netuid_index` of mechanism 1 of subnet 1: a fact of the runtime. */
const INDEX = 4097;

/** Resolves at the first of these events, or with the words of a failure. */
async function weighed(commitReveal: boolean, awaited: string) {
  const subnet = await startSubnet({
    blockMs: commitReveal ? 200 : 50,
    hyperparameters: { mechanisms: 2, commitReveal, weightsRateLimit: 1, tempo: 20 },
  });
  onTestFinished(() => subnet.devnet[Symbol.asyncDispose]());
  const chain = await connect(subnet.devnet);
  onTestFinished(() => chain[Symbol.asyncDispose]());
  const { promise, resolve } = Promise.withResolvers<string>();
  const earned = [
    { creator: subnet.charlie.address, share: 3 },
    { creator: subnet.bob.address, share: 1 },
    // Who has no hotkey here is paid by the ledger.
    { creator: subnet.dave.address, share: 4 },
  ];
  const ledger = new Ledger(":memory:");
  onTestFinished(() => ledger[Symbol.dispose]());
  const loop = new WeightsLoop({
    ...{ chain, ledger, epochLength: 1 },
    content: { read: () => Promise.resolve(earned), share: 0.2 },
    wallet: await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" }),
    log: (event) => event === awaited || event.includes(" not ") ? resolve(event) : undefined,
  });
  onTestFinished(() => loop[Symbol.asyncDispose]());
  expect(await promise).toBe(awaited);
  return subnet.devnet.chain.state.read("subtensorModule.weights", INDEX, 0)?.toJSON();
}

/** A third of 65535, as the chain takes it. */
const WEIGHTS = [[1, 21845], [2, 65535]];

test("creators' hotkeys have the weights of mechanism 1, by what they earned", async () => {
  expect(await weighed(false, "weights set")).toEqual(WEIGHTS);
});

test("committed, the chain reveals the same", async () => {
  expect(await weighed(true, "weights revealed")).toEqual(WEIGHTS);
});
