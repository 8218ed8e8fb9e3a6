import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GenerationRequest } from "../../../../core/request/mod.ts";
import type { Gateway } from "../../../../server/gateway/mod.ts";
import { mcpRoutes, type VerifiedImage } from "../../../../server/gateway/mcp/mod.ts";
import { Safety } from "../../../../server/safety/mod.ts";
import { mount } from "../../../../server/http/mod.ts";
import { addKey, INVENTED, testGateway } from "../../../fixtures/gateway.ts";
import { SMALL_IMAGE } from "../../../fixtures/receipt.ts";

/** The SDK's own client, over calls in the place of sockets. */

const KEY = "a-key-of-an-application";
const VERIFIED: VerifiedImage = { summary: "It was made here.", verdict: "honest", match: "file" };
const IMAGE = SMALL_IMAGE.toBase64();

const asked: { request: GenerationRequest; inputs: ReadonlyMap<string, Uint8Array> }[] = [];
const failures: unknown[] = [];
const stack = new AsyncDisposableStack();
let app: Hono;
let gateway: Gateway;
let client: Client;
beforeAll(async () => {
  const safety = stack.use(
    new Safety({
      classify: () => Promise.resolve({ drawing: 0, hentai: 0, neutral: 1, porn: 0, sexy: 0 }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
  );
  const folder = await Deno.makeTempDir({ prefix: "stepwise-test-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  gateway = stack.use(
    await testGateway(folder, {
      make: (request, _, { inputs, onStep }) => {
        asked.push({ request, inputs });
        onStep({ step: 1, steps: 2 });
        return Promise.resolve({ image: SMALL_IMAGE, record: INVENTED });
      },
      screen: () => safety.under("block"),
    }),
  );
  addKey(gateway, KEY);
  app = new Hono();
  const verify = () => Promise.resolve(VERIFIED);
  const failed = (error: unknown) => failures.push(error);
  mount(app, mcpRoutes({ gateway: gateway.parts, version: "1.2.3", verify, failed }));
  client = new Client({ name: "test", version: "1" });
  await client.connect(transportWith(KEY));
  stack.defer(() => client.close());
});
afterAll(() => stack.disposeAsync());

function transportWith(key: string) {
  return new StreamableHTTPClientTransport(new URL("http://gate.example/mcp"), {
    fetch: (url: string | URL, init?: RequestInit) =>
      Promise.resolve(app.request(String(url), init)),
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  });
}

test("an agent finds the tools, and what each takes", async () => {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }: { name: string }) => name).toSorted())
    .toEqual(["edit_image", "generate_image", "list_models", "verify_image"]);
  const generate = tools.find(({ name }: { name: string }) => name === "generate_image");
  expect(generate?.inputSchema.required).toContain("prompt");
  expect(client.getServerVersion()).toMatchObject({ name: "stepwise", version: "1.2.3" });
});

test("generate_image: as many images as are asked for, with seeds and receipts", async () => {
  const progress: number[] = [];
  const result = await client.callTool(
    { name: "generate_image", arguments: { prompt: "a red tau", count: 2, seed: 5, width: 64 } },
    undefined,
    { onprogress: (each: { progress: number }) => progress.push(each.progress) },
  );
  expect(result.content).toMatchObject([
    { type: "image", mimeType: "image/png", data: IMAGE },
    { type: "image", data: IMAGE },
    { type: "text" },
  ]);
  expect(result.structuredContent).toMatchObject({
    images: [{ seed: "5", receipt: INVENTED.id, width: 64 }, { seed: "6" }],
  });
  expect(asked.slice(-2).map(({ request }) => request.prompt)).toEqual(["a red tau", "a red tau"]);
  expect(progress.every((share) => share > 0 && share <= 1)).toBe(true);
});

test("edit_image: from an image, where the mask is white", async () => {
  const args = { prompt: "a blue tau", image: `data:image/png;base64,${IMAGE}`, mask: IMAGE };
  const result = await client.callTool({ name: "edit_image", arguments: args });
  expect(result.isError).toBeFalsy();
  const { request, inputs } = asked[asked.length - 1];
  expect(request).toMatchObject({ strength: 1, image: request.mask });
  expect([...inputs.values()]).toEqual([SMALL_IMAGE]);
});

test("verify_image and list_models say what is known", async () => {
  const verified = await client.callTool({ name: "verify_image", arguments: { image: IMAGE } });
  expect(verified.structuredContent).toEqual(VERIFIED);
  const models = await client.callTool({ name: "list_models", arguments: {} });
  expect(models.structuredContent).toMatchObject({ models: [{ id: "tau-tiny", width: 64 }] });
});

describe("errors", () => {
  test.each([
    ["generate_image", { prompt: "porn" }, "content_blocked"],
    ["generate_image", { prompt: "a fox", width: 63 }, "width"],
    ["edit_image", { prompt: "a fox", image: "@" }, "PNG, JPEG or WebP"],
    ["generate_image", { prompt: 7 }, "prompt"],
    ["draw", {}, "draw"],
  ])("%s %j: an answer that an agent can read", async (name, args, word) => {
    const result = await client.callTool({ name, arguments: args });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain(word);
  });

  test("a key that is none is refused before anything is read", async () => {
    const stranger = new Client({ name: "test", version: "1" });
    await expect(stranger.connect(transportWith("another-key-of-nobody"))).rejects.toThrow();
    const response = await app.request("/mcp", { method: "POST", body: "{}" });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { code: -32000 } });
  });

  test("what is no JSON, no call, or no POST is JSON-RPC's own error", async () => {
    const headers = {
      ...{ authorization: `Bearer ${KEY}`, "content-type": "application/json" },
      accept: "application/json, text/event-stream",
    };
    const send = (body: string) => app.request("/mcp", { method: "POST", headers, body });
    expect(await (await send("{")).json()).toMatchObject({ error: { code: -32700 } });
    expect((await send('{"a":1}')).status).toBe(400);
    expect((await app.request("/mcp", { headers })).status).toBe(405);
  });
});

test("nothing was our own mistake", () => expect(failures).toEqual([]));
