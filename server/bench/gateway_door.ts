import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { openHotkey } from "../../core/keys/mod.ts";
import { encodeRequest, type GenerationRequest } from "../../core/request/mod.ts";
import { RECEIPT_VERSION, signReceipt } from "../../core/transcript/mod.ts";
import {
  DEFAULT_JOBS,
  DEFAULT_WEBHOOKS,
  hashOfKey,
  type Made,
  type Make,
  openGateway,
} from "../gateway/mod.ts";
import { listen, mount } from "../http/mod.ts";

const KEY = "a-key-of-the-bench";
const HEADERS = { authorization: `Bearer ${KEY}` };

/** A gateway that is served, and how a client asks it. */
export interface Door extends AsyncDisposable {
  readonly url: string;
  readonly authorization: string;
  /** Has a job accepted. @returns its id. */
  submit(request: object): Promise<string>;
  /** Watches a job to its end, and fetches its image. */
  finish(id: string): Promise<void>;
  /** When it ended, in milliseconds since 1970. */
  endOf(id: string): Promise<number>;
}

/** A gateway on disk behind HTTP, as a validator has it, whose images come from a function. */
export async function openDoor(make: Make, parallel = DEFAULT_JOBS.parallel): Promise<Door> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "stepwise-gateway-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const gateway = stack.use(
    await openGateway({
      ...{ folder, make, work: () => 1, requestsPerMinute: 1e9, log: () => {} },
      ...{ jobs: { ...DEFAULT_JOBS, parallel }, webhooks: DEFAULT_WEBHOOKS },
      clients: { version: "bench" },
      model: {
        ...{ id: "tau-tiny", manifest: "ab".repeat(32), check: () => {} },
        defaults: { width: 256, height: 256, steps: 20, guidanceScale: 5 },
      },
    }),
  );
  const key = { id: "bench", name: "bench", hash: hashOfKey(KEY), limits: {} };
  gateway.store.keys.add({ ...key, expires: undefined });
  const app = new Hono();
  mount(app, gateway.routes());
  const server = await listen({ hostname: "127.0.0.1", port: 0 }, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  stack.defer(() => gateway.stop());
  const url = `http://127.0.0.1:${server.addr.port}`;
  const owned = stack.move();
  return {
    ...{ url, authorization: HEADERS.authorization },
    submit: async (request) => {
      const body = JSON.stringify({ request });
      const answer = await fetched(`${url}/v1/jobs`, { method: "POST", body });
      return String(Object(await answer.json()).id);
    },
    finish: async (id) => {
      await (await fetched(`${url}/v1/jobs/${id}/events`)).text();
      await (await fetched(`${url}/v1/jobs/${id}/images/0`)).bytes();
    },
    endOf: async (id) => Number(Object(await (await fetched(`${url}/v1/jobs/${id}`)).json()).ended),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @throws Error for what is not accepted. */
async function fetched(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...init, headers: HEADERS });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response;
}

const hotkey = openHotkey("11".repeat(32));

/** What a miner would say of an image, signed and as long as it is. */
export async function recordOf(request: GenerationRequest, bytes: number): Promise<Made["record"]> {
  const { width, height, steps, seed } = request;
  const now = Date.now();
  const receipt = await signReceipt({
    ...{ version: RECEIPT_VERSION, steps },
    request: { ...encodeRequest(request), width, height, steps, seed: String(seed), batch: 1 },
    model: { id: "tau-tiny", manifest: "ab".repeat(32), precision: "float32" },
    ...{ plan: "cd".repeat(32), root: "ef".repeat(32), latent: [4, height / 8, width / 8] },
    image: { sha256: "01".repeat(32), mediaType: "image/png", bytes },
    ...{ miner: hotkey.address, times: { started: now, finished: now } },
  }, hotkey.sign);
  return {
    ...{ id: "ab".repeat(32), receipt, token: "t".repeat(43), notices: [] },
    miner: { uid: 1, hotkey: hotkey.address, url: "http://127.0.0.1:1" },
    ...{ witness: null, verdict: null },
  };
}
