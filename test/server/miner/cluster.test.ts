import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callBody, decodeGenerationAnswer, signedHeaders } from "../../../core/protocol/mod.ts";
import { openWallet, type Wallet } from "../../../server/chain/mod.ts";
import { type Cluster, openNatsCluster } from "../../../server/cluster/mod.ts";
import { drainMachine } from "../../../server/miner/cluster_drain.ts";
import { type Miner, startMiner } from "../../../server/miner/mod.ts";
import { type RunningWorker, startWorker } from "../../../server/miner/start_worker.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { fileOf, gradient } from "../../fixtures/pictures.ts";
import { type NatsServer, startNats } from "../../fixtures/nats_server.ts";
import { until } from "../../fixtures/processes.ts";
import { rejection } from "../../fixtures/rejection.ts";

const REQUEST = { prompt: "a red tau symbol", width: 64, height: 64, steps: 3, seed: 5 };
let folder: string;
let nats: NatsServer;
let miner: Wallet;
let caller: Wallet;
/** Connections as of four machines. */
let clusters: Cluster[];
let worker: RunningWorker;
let axons: Miner[];

const development = (hotkey: string) =>
  openWallet({ path: "", name: "", hotkey, network: "devnet" });
const log = () => {};

async function joined(): Promise<Cluster> {
  const cluster = await openNatsCluster({ servers: [nats.url], prefix: "miner" }, log);
  clusters.push(cluster);
  return cluster;
}

async function startAxon(name: string): Promise<Miner> {
  return await startMiner({
    ...{ wallet: miner, hostname: "127.0.0.1", port: 0, folder: join(folder, name), log },
    ...{ cluster: await joined(), model: "embedded", compute: "cpu", queue: 4, batch: 4 },
    ...{ maxTranscriptBytes: 2 ** 28, whitelist: { hotkeys: [caller.hotkey.address] } },
  });
}

async function work(): Promise<RunningWorker> {
  return await startWorker({
    ...{ cluster: await joined(), wallet: miner, folder: join(folder, "worker"), log, batch: 4 },
    ...{ model: "embedded", compute: "cpu", maxTranscriptBytes: 2 ** 28, host: "gpu-host" },
  });
}

beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  [miner, caller] = [await development("//Bob"), await development("//Alice")];
  clusters = [];
  nats = await startNats({ folder: join(folder, "nats") });
  const none = await joined();
  expect(await rejection(startAxon("early"))).toMatchObject({ code: "host_unavailable" });
  expect(await (await none.once("answers", 3600)).get("none")).toBeUndefined();
  worker = await work();
  axons = [await startAxon("one"), await startAxon("two")];
});

afterAll(async () => {
  for (const axon of axons) await axon[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
  for (const cluster of clusters) await cluster[Symbol.asyncDispose]();
  await nats[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

const signed = (body: string) => signedBytes(new TextEncoder().encode(body));

async function signedBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Record<string, string>> {
  const about = { signedFor: miner.hotkey.address, now: Date.now(), uuid: crypto.randomUUID() };
  return await signedHeaders({ body: bytes, ...about }, caller.hotkey);
}

async function generate(axon: Miner, more = {}, headers = {}): Promise<Response> {
  const body = JSON.stringify({ request: REQUEST, ...more });
  return await fetch(`${axon.url}/v1/generations`, {
    ...{ method: "POST", body, headers: { ...await signed(body), ...headers } },
  });
}

test("an image that one axon was asked for is opened at another, by its token", async () => {
  const [one, other] = axons;
  const response = await generate(one);
  expect(response.status).toBe(200);
  const { images: [{ id, receipt, token }] } = decodeGenerationAnswer(await response.json());
  expect([receipt.miner, receipt.validator])
    .toEqual([miner.hotkey.address, caller.hotkey.address]);
  const at = `${other.url}/v1/generations/${id}`;
  const headers = { authorization: `Bearer ${token}` };
  const read = async (path: string) => await (await fetch(`${at}${path}`, { headers })).bytes();
  const kept = JSON.parse(new TextDecoder().decode(await read("")));
  expect(kept.receipt.root).toBe(receipt.root);
  const image = await read("/image");
  expect(new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(image))).toHex())
    .toBe(receipt.image.sha256);
  expect((await read("/steps/1")).length).toBeGreaterThan(1000);
  const wrong = await fetch(at, { headers: { authorization: `Bearer ${"x".repeat(43)}` } });
  expect([wrong.status, (await wrong.json()).error.code]).toEqual([403, "not_allowed"]);
  const unknown = await fetch(`${other.url}/v1/generations/${"0".repeat(64)}`, { headers });
  expect((await unknown.json()).error.code).toBe("transcript_not_found");
});

test("progress and previews come from the worker as they would from the axon's own engine", async () => {
  const response = await generate(axons[0], { previews: true }, { accept: "text/event-stream" });
  const events = (await response.text()).split("\n\n").filter((each) => each.startsWith("event"));
  const names = events.map((each) => /^event: (\w+)/.exec(each)?.[1]);
  expect(names.filter((name) => name === "progress")).toHaveLength(REQUEST.steps);
  expect([names[0], names.at(-1)]).toEqual(["queued", "done"]);
  expect(events.find((each) => each.startsWith("event: progress")))
    .toContain("data:image/png;base64,");
});

test("an image is made from a file that the axon was given, and the worker opens that too", async () => {
  const file = await fileOf(gradient(64, 40));
  const sha256 = await bytesHash(file);
  const request = { ...REQUEST, image: sha256, strength: 0.7 };
  const { bytes, type } = callBody({ request }, new Map([[sha256, file]]));
  const headers = { ...await signedBytes(bytes), "content-type": type };
  const response = await fetch(`${axons[0].url}/v1/generations`, {
    ...{ method: "POST", body: bytes, headers },
  });
  const { images: [{ id, receipt, token }] } = decodeGenerationAnswer(await response.json());
  expect(receipt.request).toMatchObject({ image: sha256, strength: 0.7 });
  const kept = await fetch(`${axons[1].url}/v1/generations/${id}/inputs/${sha256}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await kept.bytes()).toEqual(file);
});

test("a request that its model cannot make is refused by the worker's own words", async () => {
  const response = await generate(axons[0], { request: { ...REQUEST, guidanceScale: -5 } });
  expect(response.status).toBe(400);
  const { error } = await response.json();
  expect(error).toMatchObject({ code: "invalid_request" });
  expect(error.message).toContain("guidanceScale");
});

test("a request is taken once, by whichever axon", async () => {
  const body = JSON.stringify({ request: REQUEST });
  const headers = await signed(body);
  const ask = ({ url }: Miner) => fetch(`${url}/v1/generations`, { method: "POST", body, headers });
  const answers = await Promise.all(axons.map(ask));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401]);
  for (const each of answers) await each.body?.cancel();
});

test("workers leave by a word and come again; what waited is made, what was cancelled is not", async () => {
  const ready = async ({ url }: Miner) => (await (await fetch(`${url}/v1/info`)).json()).compute;
  const leaving = worker.drained.then(() => worker[Symbol.asyncDispose]());
  await drainMachine(await joined(), miner.hotkey, "gpu-host", log);
  await leaving;
  await until(async () => await ready(axons[0]) === "", "the axon knows that no worker is there");
  const abort = new AbortController();
  const body = JSON.stringify({ request: { ...REQUEST, seed: 6 } });
  const unwanted = fetch(`${axons[0].url}/v1/generations`, {
    ...{ method: "POST", body, headers: await signed(body), signal: abort.signal },
  });
  const kind = `${miner.hotkey.address}_`;
  const counts = async () => {
    const info = await (await fetch(`${axons[0].url}/v1/info`)).json();
    return await clusters[0].work.counts(`${kind}${info.models[0].manifest}`);
  };
  await until(async () => (await counts()).waiting === 1, "the unwanted job waits");
  abort.abort();
  await rejection(unwanted);
  const wanted = generate(axons[1], { request: { ...REQUEST, seed: 7 } });
  await until(async () => (await counts()).waiting === 2, "the wanted job waits");
  worker = await work();
  const { images: [{ receipt }] } = decodeGenerationAnswer(await (await wanted).json());
  expect(receipt.request.seed).toBe("7");
  await until(async () => (await counts()).taken === 0, "the queue is empty");
  expect(await counts()).toEqual({ waiting: 0, taken: 0 });
  expect(await clusters[0].work.dead()).toEqual([]);
});
