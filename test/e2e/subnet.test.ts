import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodeReceipt, receiptFromJson } from "../../core/transcript/mod.ts";
import { developmentPair, startDevnet } from "../../server/chain/mod.ts";
import { startProcess } from "../../server/demo/processes.ts";
import { runCli } from "../fixtures/cli.ts";
import { ALICE, ask, IP, NO_STRESS, seen, startSubnet, until } from "./subnet_processes.ts";

const CHEATING_MINER = new URL("../../server/demo/cheating_miner.ts", import.meta.url).pathname;

test(
  "the circle turns: an image for a user, a receipt that anybody can check, weights, pay",
  async () => {
    const subnet = await startSubnet(["//Bob", "//Eve"]);
    const bob = await subnet.miner("//Bob");
    const eve = await startProcess("Eve", [
      ...[CHEATING_MINER, "//Eve", subnet.devnet.endpoint, "1", IP, "0"],
      ...[join(subnet.folder, "Eve"), "no guidance"],
    ], join(subnet.folder, "Eve.log"));
    onTestFinished(() => eve[Symbol.asyncDispose]());
    const validator = await subnet.validator();

    const response = await ask(validator);
    const answer = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    expect(answer.miner.hotkey).toBe(developmentPair("//Bob").address);
    const [receipt, image] = ["r.json", "i.png"].map((name) => join(subnet.folder, name));
    await Deno.writeFile(receipt, encodeReceipt(receiptFromJson(answer.receipt)));
    await Deno.writeFile(image, Uint8Array.fromBase64(answer.image));
    const checked = await runCli([
      ...["verify", receipt, "--from", bob.url, "--token", answer.token, "--image", image],
      ...["--compute", "cpu", "--json"],
    ]);
    expect(JSON.parse(checked.stdout)).toMatchObject({ verdict: "honest", level: 3 });

    const client = await subnet.client();
    const paid = await until(
      () => client.metagraph(),
      ({ neurons }) => neurons[1].emission > 0,
    );
    expect(paid.neurons[2]).toMatchObject({ incentive: 0, emission: 0 });
    const { miners } = await until(() => seen(validator), (now) => now.miners[1].cheated);
    expect(miners[1].why).toMatch(/^suspect: step \d+ is not what the network predicts/);
    expect(miners[0]).toMatchObject({ cheated: false });

    const shown = await (await fetch(`${validator.url}/v1/receipts`)).json();
    expect(shown.receipts[0]).toMatchObject({
      miner: bob.url,
      receipt: { miner: miners[0].hotkey },
    });
    const { id, token } = shown.receipts[0];
    const opening = await fetch(`${bob.url}/v1/generations/${id}/steps/0?token=${token}`);
    expect(opening.status).toBe(200);
    await opening.body?.cancel();
  },
);

describe("a miner that is killed in the middle of a request", () => {
  test("the user gets an image from another", async () => {
    const subnet = await startSubnet(["//Bob", "//Charlie"]);
    const miners = await Promise.all([subnet.miner("//Bob"), subnet.miner("//Charlie")]);
    const validator = await subnet.validator([
      ...["--role", "forward", "--forward.hedge", "60", "--forward.miners", "2"],
    ]);
    // Long enough to be in the middle of it.
    const answering = ask(validator, { width: 256, height: 256, steps: 60 });
    const busy = await until(
      () => Promise.all(miners.map(({ url }) => fetch(`${url}/v1/info`).then((r) => r.json()))),
      (infos) => infos.some(({ capacity }) => capacity.running === 1),
    );
    const victim = busy.findIndex(({ capacity }) => capacity.running === 1);
    Deno.kill(miners[victim].pid, "SIGKILL");
    const response = await answering;
    const answer = await response.json();
    expect(response.status, JSON.stringify(answer)).toBe(200);
    expect(answer.miner.url).toBe(miners[1 - victim].url);
    const after = await seen(validator);
    expect(after.miners.find(({ uid }) => uid === victim + 1)).toMatchObject({
      served: 0,
      failed: 1,
    });
  });
});

test(
  "a validator that is killed and started again has lost nothing and doubled nothing",
  async () => {
    const subnet = await startSubnet(["//Bob"]);
    await subnet.miner("//Bob");
    const first = await subnet.validator(NO_STRESS);
    for (let k = 0; k < 4; k++) expect((await ask(first, { seed: k })).status).toBe(200);
    const before = (await seen(first)).miners;
    const running = ask(first, { width: 256, height: 256, steps: 40 }).catch(() => undefined);
    Deno.kill(first.pid, "SIGKILL");
    await running;
    const second = await subnet.validator(NO_STRESS);
    const after = (await seen(second)).miners;
    expect(before[0].served).toBe(4);
    expect(after).toEqual(before);
    expect((await ask(second)).status).toBe(200);
    expect((await seen(second)).miners[0].served).toBe(5);
  },
);

test("a chain that is restarted: the neurons go on, and weights are set again", async () => {
  const folder = await Deno.makeTempDir();
  onTestFinished(() => Deno.remove(folder, { recursive: true }));
  const path = join(folder, "chain.sqlite");
  const subnet = await startSubnet(["//Bob"], { path });
  await subnet.miner("//Bob");
  const validator = await subnet.validator();
  const first = await until(() => seen(validator), ({ weights }) => weights !== undefined);
  expect(first.weights).toMatchObject({ uids: [0, 1], weights: [0, 65535] });
  const port = Number(new URL(subnet.devnet.endpoint).port);
  const { number: stoppedAt } = subnet.devnet.chain.head;
  await subnet.devnet[Symbol.asyncDispose]();
  // Users do not notice.
  expect((await ask(validator)).status).toBe(200);
  const again = await startDevnet({ port, blockMs: 250, netuid: 1, path });
  onTestFinished(() => again[Symbol.asyncDispose]());
  expect(again.chain.head.number).toBeGreaterThanOrEqual(stoppedAt);
  const client = await subnet.client();
  const { lastUpdate } = (await client.metagraph()).neurons[0];
  await until(() => client.metagraph(), ({ neurons }) => neurons[0].lastUpdate > lastUpdate);
});
test(
  "a validator's routes are documented, counted, and open to signatures and keys alone",
  async () => {
    const subnet = await startSubnet([]);
    const validator = await subnet.validator(NO_STRESS);
    const text = await (await fetch(`${validator.url}/openapi.json`)).text();
    const document = JSON.parse(text);
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const method of Object.keys(operations as object)) {
        const response = await fetch(`${validator.url}${path}`, { method: method.toUpperCase() });
        expect(await response.text(), path).not.toMatch(/there is no such route/);
        if (path === "/v1/attestations") continue;
        if (method === "post") expect(response.status, path).toBe(401);
      }
    }
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(document.components.schemas).toHaveProperty(name);
    }
    const refused = await ask(validator);
    expect([refused.status, (await refused.json()).error]).toEqual([
      503,
      { code: "no_miner", message: "Cannot generate: no miner gave a good image (none serves)" },
    ]);
    const metrics = await (await fetch(`${validator.url}/metrics`)).text();
    expect(metrics).toMatch(/stepwise_user_requests_total\{outcome="no_miner"\} 1/);
    expect(metrics).toMatch(/stepwise_miners 0/);
  },
);

test("the stress role without a model has its samples scored by the forwarding one", async () => {
  const subnet = await startSubnet(["//Bob"]);
  await subnet.miner("//Bob");
  const forward = await subnet.validator(NO_STRESS);
  const stress = await subnet.validator([
    ...["--role", "stress", "--scoring.url", forward.url, "--scoring.hotkey", ALICE],
    ...["--storage", join(subnet.folder, "stress")],
  ]);
  const { miners } = await until(() => seen(stress), (now) => now.miners[0]?.checks > 0);
  expect(miners[0]).toMatchObject({ cheated: false });
  expect(miners[0].requestsPerSecond).toBeGreaterThan(0);
  const metrics = await (await fetch(`${forward.url}/metrics`)).text();
  expect(metrics).toMatch(/stepwise_checks_total\{verdict="honest"\} [1-9]/);
});
