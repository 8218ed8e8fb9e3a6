import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { encodeReceipt, receiptFromJson } from "../../core/transcript/mod.ts";
import { signedHeaders } from "../../core/protocol/mod.ts";
import { developmentPair, openWallet, startDevnet, type Wallet } from "../../server/chain/mod.ts";
import { startProcess } from "../../server/demo/processes.ts";
import { runCli, runProcess } from "../fixtures/cli.ts";
import { sendHuge } from "../fixtures/huge_request.ts";
import { ask, IP, MAIN, seen, SMALL, startSubnet, until } from "./subnet_processes.ts";

const CHEATING_MINER = new URL("../../server/demo/cheating_miner.ts", import.meta.url).pathname;
/** //Alice */
const ALICE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const NO_STRESS = ["--role", "forward", "--forward.hedge", "1"];

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

/** Stands before a real miner and spoils what it says. */
function spoil(
  answer: (request: Request, pass: () => Promise<Response>) => Response | Promise<Response>,
): { readonly port: number; readonly to: (url: string) => void } {
  let target = "";
  const stop = new AbortController();
  const options = { hostname: IP, port: 0, onListen: () => {}, signal: stop.signal };
  const server = Deno.serve(options, (request) => {
    const { pathname, search } = new URL(request.url);
    return answer(request, async () =>
      await fetch(`${target}${pathname}${search}`, {
        method: request.method,
        headers: request.headers,
        ...(request.method === "POST" && { body: await request.bytes() }),
        // A slow one may outlive its miner.
      }).catch(() => new Response("", { status: 502 })));
  });
  onTestFinished(() => stop.abort());
  return { port: server.addr.port, to: (url) => void (target = url) };
}

const isCall = (request: Request) => request.method === "POST";
const never = new Promise<Response>(() => {});

describe("a miner that answers", () => {
  test.each<[string, Parameters<typeof spoil>[0], RegExp, "a failure" | "a cheat"]>([
    [
      "never",
      (request, pass) => isCall(request) ? never : pass(),
      /no whole answer within 3 s/,
      "a failure",
    ],
    [
      "slowly",
      async (request, pass) => {
        if (isCall(request)) await new Promise((resolve) => setTimeout(resolve, 5000));
        return await pass();
      },
      /no whole answer within 3 s/,
      "a failure",
    ],
    [
      "with garbage",
      (request, pass) => isCall(request) ? new Response("<html>hello</html>") : pass(),
      /not valid JSON/,
      "a failure",
    ],
    [
      "with an endless answer",
      (request, pass) =>
        isCall(request)
          ? new Response(
            new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536).fill(32)) }),
          )
          : pass(),
      /more than \d+ bytes/,
      "a failure",
    ],
    [
      "with the wrong image",
      async (request, pass) => {
        if (!request.url.includes("/image")) return await pass();
        const bytes = await (await pass()).bytes();
        bytes[bytes.length - 20] ^= 1;
        return new Response(bytes);
      },
      /its image is not the expected one/,
      "a cheat",
    ],
    [
      "with another request's receipt",
      (() => {
        let kept: string | undefined;
        return async (request, pass) => {
          if (!isCall(request)) return await pass();
          const response = await pass();
          kept ??= await response.text();
          return Response.json(JSON.parse(kept));
        };
      })(),
      /its request is not the expected one/,
      "a cheat",
    ],
    [
      "with a valid receipt and no openings",
      (request, pass) =>
        request.url.includes("/steps/") ? new Response("no", { status: 404 }) : pass(),
      /the miner answered 404/,
      "a failure",
    ],
  ])("%s fails that user's request, which another serves", async (...of) => {
    const [name, answer, why, kind] = of;
    const subnet = await startSubnet(["//Bob", "//Charlie"]);
    const proxy = spoil(answer);
    const bad = await subnet.miner("//Bob", ["--axon.external_port", String(proxy.port)]);
    proxy.to(bad.url);
    await subnet.miner("//Charlie");
    const validator = await subnet.validator([
      ...[...NO_STRESS, "--forward.timeout", "3", "--forward.check_share", "1"],
    ]);
    // Whoever is asked first: sooner or later it is the bad one.
    const bob = await until(async () => {
      const response = await ask(validator, { seed: Math.floor(1e6 * Math.random()) });
      const answered = await response.json();
      expect(response.status, JSON.stringify(answered)).toBe(200);
      const { miners } = await seen(validator);
      const own = miners.find(({ uid }) => uid === 1);
      // The first receipt of another request is its own.
      if (name.includes("another request") && answered.miner.uid === 1) return undefined;
      expect(answered.miner.uid).toBe(2);
      return own;
    }, (own) => (own?.failed ?? 0) > 0);
    expect(bob).toMatchObject({ cheated: kind === "a cheat" });
    const log = await Deno.readTextFile(join(subnet.folder, "validator.log"));
    expect(log).toMatch(why);
  });
});

describe("a hostile client", () => {
  const wallet = (hotkey: string) => openWallet({ path: "", name: "", hotkey, network: "devnet" });

  test("gets nothing from a miner or a validator, which go on", async () => {
    const subnet = await startSubnet(["//Bob"]);
    const bob = await subnet.miner("//Bob");
    const validator = await subnet.validator(NO_STRESS);
    const [alice, eve] = [await wallet("//Alice"), await wallet("//Eve")];
    const doors = [
      { url: bob.url, path: "/v1/generations", hotkey: developmentPair("//Bob").address },
      { url: validator.url, path: "/v1/generate", hotkey: ALICE },
    ];
    for (const { url, path, hotkey } of doors) {
      const body = JSON.stringify({ request: { prompt: "a red tau symbol", ...SMALL } });
      const sign = (by: Wallet, signedFor = hotkey) =>
        signedHeaders({
          ...{ body: new TextEncoder().encode(body), signedFor },
          ...{ now: Date.now(), uuid: crypto.randomUUID() },
        }, by.hotkey);
      const send = async (headers: Record<string, string>, sent = body) => {
        const response = await fetch(`${url}${path}`, { method: "POST", headers, body: sent });
        return [response.status, (await response.json()).error?.code];
      };
      const headers = await sign(alice);
      expect(await send(headers), path).toEqual([200, undefined]);
      // A replay.
      expect(await send(headers), path).toEqual([401, "request_replayed"]);
      // An altered body.
      expect(await send(await sign(alice), body.replace("red", "bed")), path)
        .toEqual([401, "signature_invalid"]);
      // Another's key, under the own name and under that of one who may.
      const strange = await sign(eve);
      expect(await send(strange), path).toEqual([403, "not_allowed"]);
      expect(await send({ ...strange, "epistula-signed-by": ALICE }), path)
        .toEqual([401, "signature_invalid"]);
      // A request for somebody else.
      expect(await send(await sign(alice, eve.hotkey.address)), path)
        .toEqual([401, "request_unsigned"]);
      for (const told of [true, false]) {
        expect(await sendHuge({ url, path, hotkey, caller: alice, told }), path).toBe(413);
      }
      expect(await send(await sign(alice)), path).toEqual([200, undefined]);
    }
  });
});

describe("as a new operator meets it", () => {
  const wallet = ["--wallet.hotkey", "//Ferdie", "--subtensor.network", "devnet"];

  test("an unregistered hotkey", async () => {
    const subnet = await startSubnet([]);
    for (const role of ["miner", "validator"]) {
      const { code, stderr } = await runCli([
        ...[role, ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
      ]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^Cannot take part: .* is not registered on subnet 1; register it: /m);
    }
  });

  test("a chain that is not reachable", async () => {
    const { code, stderr } = await runCli([
      ...["miner", ...wallet, "--subtensor.chain_endpoint", "ws://127.0.0.1:9"],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /Cannot connect to the chain at ws:\/\/127\.0\.0\.1:9: .*is a node there/,
    );
  });

  test("a clock two minutes off", async () => {
    const subnet = await startSubnet(["//Ferdie"], { clock: () => Date.now() + 120_000 });
    const { code, stderr } = await runCli([
      ...["miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/this machine's clock is 1\d\d s behind .* set it by NTP/);
  });

  test("a port that is taken", async () => {
    const subnet = await startSubnet(["//Ferdie"]);
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { code, stderr } = await runCli([
      ...["validator", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
      ...["--storage", join(subnet.folder, "f"), "--axon.port", String(taken.addr.port)],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot serve: port \d+ of 127\.0\.0\.1 is taken .*--axon\.port/);
  });

  test("no GPU where one is asked for", async () => {
    const subnet = await startSubnet(["//Ferdie"]);
    // No driver is found, whatever this machine has.
    const { code, stderr } = await runProcess([
      ...["miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "native"],
      ...["--storage", join(subnet.folder, "f")],
    ], {
      VK_DRIVER_FILES: "/nowhere",
      VK_ICD_FILENAMES: "/nowhere",
      DENO_WEBGPU_BACKEND: "vulkan",
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^Cannot compute natively: Deno finds no WebGPU adapter here\. Install .*--compute cpu\.$/m,
    );
  });

  test("a host that is none", async () => {
    const { code, stderr } = await runCli(["miner", ...wallet, "--compute", "tpu"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--compute.*tpu/);
  });

  test("an axon that nobody is told of", async () => {
    const subnet = await startSubnet(["//Ferdie"]);
    await startProcess("miner", [
      ...[MAIN, "miner", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie", "--compute", "cpu"],
      ...["--axon.port", "0", "--storage", join(subnet.folder, "f")],
    ], join(subnet.folder, "f.log")).then((started) =>
      onTestFinished(() => started[Symbol.asyncDispose]())
    );
    const log = await Deno.readTextFile(join(subnet.folder, "f.log"));
    expect(log).toMatch(/"event":"axon not served".*--axon\.external_ip says where/);
  });

  test("a flag that is no number", async () => {
    const subnet = await startSubnet(["//Ferdie"]);
    const { code, stderr } = await runCli([
      ...["validator", ...subnet.chainFlags, "--wallet.hotkey", "//Ferdie"],
      ...["--neuron.epoch_length", "many"],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--neuron\.epoch_length is many, not a whole number from 1/);
  });
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
  expect(metrics).toMatch(/stepwise_checks_total\{verdict="honest"\} 1/);
  // What users see at the one weighs at the other.
  expect((await ask(forward)).status).toBe(200);
  await until(() => seen(stress), (now) => now.miners[0].served === 1);
});

test("receipts of users stay between user and miner", async () => {
  const subnet = await startSubnet(["//Bob"]);
  await subnet.miner("//Bob");
  const validator = await subnet.validator(NO_STRESS);
  const response = await ask(validator, {}, { accept: "image/png" });
  expect(response.headers.get("content-type")).toBe("image/png");
  expect((await response.bytes()).slice(1, 4)).toEqual(new TextEncoder().encode("PNG"));
  const shown = await (await fetch(`${validator.url}/v1/receipts`)).json();
  expect(shown).toEqual({ receipts: [] });
  const refused = await fetch(`${validator.url}/v1/generate`, {
    method: "POST",
    headers: { authorization: "Bearer a-key-of-somebody-else" },
    body: JSON.stringify({ request: SMALL }),
  });
  expect([refused.status, (await refused.json()).error.code]).toEqual([403, "not_allowed"]);
});

test("a request that no miner could answer in time, or at all, is no miner's failure", async () => {
  const subnet = await startSubnet(["//Bob"]);
  await subnet.miner("//Bob");
  const validator = await subnet.validator(NO_STRESS);
  for (
    const [request, why] of [
      [
        { width: 4096, height: 4096, steps: 1000 },
        /4096 x 4096 pixels at 1000 steps are \d+ times/,
      ],
      [{ width: 72 }, /width is 72, not a multiple of 32 pixels/],
    ] as const
  ) {
    const response = await ask(validator, request);
    expect(response.status).toBe(400);
    expect((await response.json()).error.message).toMatch(why);
  }
  expect((await ask(validator)).status).toBe(200);
  const [bob] = (await seen(validator)).miners;
  expect(bob).toMatchObject({ served: 1, failed: 0 });
});
