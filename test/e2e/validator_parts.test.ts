import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startNats } from "../fixtures/nats_server.ts";
import { ALICE, ask, seen, startSubnet, until } from "./subnet_processes.ts";

test("a validator in parts: two serve users, one scores, one tests and weighs, and all know the same", async () => {
  const subnet = await startSubnet(["//Bob"]);
  const nats = await startNats({ folder: join(subnet.folder, "nats") });
  onTestFinished(() => nats[Symbol.asyncDispose]());
  const part = (role: string, name: string) =>
    subnet.start(name, [
      ...["validator", "--role", role, "--cluster", nats.url, "--log", "json"],
      ...["--wallet.hotkey", "//Alice", "--compute", "cpu", "--axon.port", "0"],
      ...[...subnet.chainFlags, "--storage", join(subnet.folder, name)],
      ...["--api.keys", join(subnet.folder, "keys.txt"), "--neuron.epoch_length", "8"],
      ...["--stress.max", "2", "--stress.size", "64", "--stress.steps", "6"],
      ...["--stress.window", "4", "--stress.rest", "4"],
    ]);
  await Promise.all([subnet.miner("//Bob"), part("score", "scorer")]);
  const [one, other] = await Promise.all([part("forward", "one"), part("forward", "other")]);
  // All first answers of a miner are checked: by the scorer, as these have no engine.
  for (const validator of [one, other]) {
    const answer = await (await ask(validator)).json();
    expect(answer).toMatchObject({ verdict: "honest", receipt: { validator: ALICE } });
  }
  await part("stress", "leader");
  const { weights } = await until(() => seen(other), (now) => now.weights !== undefined);
  expect(weights).toMatchObject({ uids: [0, 1], weights: [0, 65535] });
  const { miners: [bob] } = await seen(one);
  expect(bob).toMatchObject({ served: 2, failed: 0, cheated: false });
  expect(bob.requestsPerSecond).toBeGreaterThan(0);

  await other[Symbol.asyncDispose]();
  await Deno.remove(join(subnet.folder, "other"), { recursive: true });
  const again = await part("forward", "other");
  const found = await until(() => seen(again), ({ miners: [{ checks }] }) => checks >= bob.checks);
  expect(found.miners[0]).toMatchObject({ served: 2, failed: 0 });
});
