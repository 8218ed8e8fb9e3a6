import { createServer } from "node:http";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decodeRequest } from "../../../core/request/mod.ts";
import {
  DEFAULT_WEBHOOKS,
  type GatewayOptions,
  webhookSecret,
} from "../../../server/gateway/mod.ts";
import { postOnce } from "../../../server/gateway/webhooks/post.ts";
import { addKey, testGateway } from "../../fixtures/gateway.ts";

const DEFAULTS = { width: 64, height: 64, steps: 4, guidanceScale: 5, seed: 0n };
let stack: AsyncDisposableStack;
let folder: string;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
});
afterEach(() => stack.disposeAsync());

interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Somebody's server, which answers with these statuses in turn, and then with 200. */
async function receiver(...statuses: number[]) {
  const received: Received[] = [];
  let wake = () => {};
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => body += chunk).on("end", () => {
      received.push({ headers: request.headers, body });
      response.writeHead(statuses.shift() ?? 200, { location: "/elsewhere" }).end("thanks");
      wake();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => void server.close());
  const until = async (count: number) => {
    while (received.length < count) await new Promise<void>((resolve) => wake = resolve);
  };
  const { port } = server.address() as AddressInfo;
  return { received, until, port, url: `http://127.0.0.1:${port}/hook?a=1` };
}

const QUICK = { ...DEFAULT_WEBHOOKS, allowPrivate: true, waitsMs: [1, 1, 1] };

async function jobWith(webhook: string, options: Partial<GatewayOptions> = {}) {
  const gateway = stack.use(await testGateway(folder, { webhooks: QUICK, ...options }));
  const owner = addKey(gateway, "a");
  const requests = [decodeRequest({}, DEFAULTS)];
  const { id } = await gateway.parts.jobs.submit({ owner, requests, format: "png", webhook });
  await gateway.parts.jobs.wait(owner.id, id);
  return { gateway, owner, id };
}

test("a job's end is reported, signed as Standard Webhooks has it", async () => {
  const { received, until, url, port } = await receiver();
  const { gateway, owner, id } = await jobWith(url);
  await until(1);
  const [{ headers, body }] = received;
  expect(JSON.parse(body)).toMatchObject({ type: "job.done", job: { id, state: "done" } });
  expect(headers).toMatchObject({ "webhook-id": `evt_${id}`, host: `127.0.0.1:${port}` });
  const secret = webhookSecret(gateway.store.secret, owner.id).replace("whsec_", "");
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signature = createHmac("sha256", Uint8Array.fromBase64(secret)).update(signed)
    .digest("base64");
  expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
});

test("a receiver that fails, or redirects, is asked again with the same id", async () => {
  const { received, until, url } = await receiver(500, 302, 404);
  await jobWith(url);
  await until(4);
  expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("what was not taken before a restart is sent after it", async () => {
  const { until, url } = await receiver(500);
  const waits = { ...QUICK, waitsMs: [0, 60_000] };
  const { gateway } = await jobWith(url, { webhooks: { ...waits, waitsMs: [60_000] } });
  await until(1);
  await gateway[Symbol.asyncDispose]();
  const later = stack.use(await testGateway(folder));
  expect(later.store.webhooks.nextDue()).toBeGreaterThan(Date.now());
  later.store.webhooks.again(await onlyDue(later), 0, "");
  stack.use(await testGateway(folder, { webhooks: waits }));
  await until(2);
});

async function onlyDue({ store }: Awaited<ReturnType<typeof testGateway>>): Promise<string> {
  const [{ job }] = await Promise.resolve(store.webhooks.due(Infinity, 2));
  return job;
}

test("after the last try it is given up, and the job may be forgotten", async () => {
  const { until, url } = await receiver(500, 500);
  const given = Promise.withResolvers<unknown>();
  await jobWith(url, {
    webhooks: { ...QUICK, waitsMs: [1] },
    log: (event, facts) => event === "webhook given up" && given.resolve(facts),
  });
  await until(2);
  expect(await given.promise).toMatchObject({ attempts: 2, error: "it answered 500" });
});

test("receivers that never answer hold up no other key's reports", async () => {
  const silent = createServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  stack.defer(() => silent.closeAllConnections());
  const { port } = silent.address() as AddressInfo;
  // As long as the test may take: nothing is given up meanwhile.
  const gateway = await testGateway(folder, { webhooks: { ...QUICK, timeoutMs: 60_000 } });
  stack.defer(() => gateway[Symbol.asyncDispose]());
  stack.defer(() => silent.closeAllConnections());
  const { until, url, received } = await receiver();
  const ended = async (name: string, webhook: string, jobs: number) => {
    const owner = addKey(gateway, name);
    for (let k = 0; k < jobs; k++) {
      const requests = [decodeRequest({}, DEFAULTS)];
      const order = { owner, requests, format: "png", webhook } as const;
      await gateway.parts.jobs.wait(owner.id, (await gateway.parts.jobs.submit(order)).id);
    }
  };
  // More than are sent at once.
  await ended("silent", `http://127.0.0.1:${port}/`, 70);
  await ended("good", url, 1);
  await until(1);
  expect(received).toHaveLength(1);
  gateway.store.webhooks.due(Infinity, 100).forEach(({ job }) => gateway.store.webhooks.end(job));
});

describe("addresses", () => {
  const call = (url: string, addresses: readonly string[], allowPrivate = false) =>
    postOnce({ url: new URL(url), headers: {}, body: "{}" }, {
      ...{ allowPrivate, timeoutMs: 5000 },
      resolve: () => Promise.resolve(addresses),
    });

  test.each([
    ["127.0.0.1"],
    ["10.0.0.1"],
    ["192.168.1.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["::1"],
    ["fd00::1"],
    ["fe80::1"],
    ["::ffff:127.0.0.1"],
    ["64:ff9b::7f00:1"],
  ])("a name that is %s is not called", async (address) => {
    const { received, port } = await receiver();
    await expect(call(`http://app.example:${port}/`, [address]))
      .rejects.toThrow(/app\.example is .*, no public address/);
    expect(received).toEqual([]);
  });

  test("the address that was looked at is the one that is called, under the name", async () => {
    const { received, port } = await receiver();
    const status = await call(`http://app.example:${port}/x`, ["127.0.0.1"], true);
    expect(status).toBe(200);
    expect(received[0].headers.host).toBe(`app.example:${port}`);
  });
});
