import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  decodeInputImage,
  encodeImage,
  resize,
  textIn,
  withoutMetadata,
} from "../../core/image/mod.ts";
import { readInfotext } from "../../core/infotext/mod.ts";
import { fileHash } from "../../core/transcript/mod.ts";
import { signedHeaders } from "../../core/protocol/mod.ts";
import { developmentPair, openWallet, type Wallet } from "../../server/chain/mod.ts";
import type { DemoProcess } from "../../server/demo/processes.ts";
import { sendHuge } from "../fixtures/huge_request.ts";
import { ALICE, ask, KEY, NO_STRESS, seen, SMALL, startSubnet } from "./subnet_processes.ts";

/** Of all cases: one miner, and a validator that asks it for users alone. */
let bob: DemoProcess;
let validator: DemoProcess;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const subnet = await startSubnet(["//Bob"], {}, (stop) => stack.defer(stop));
  bob = await subnet.miner("//Bob");
  validator = await subnet.validator([...NO_STRESS, "--api.a1111"]);
});
afterAll(() => stack.disposeAsync());

describe("a hostile client", () => {
  const wallet = (hotkey: string) => openWallet({ path: "", name: "", hotkey, network: "devnet" });

  test("gets nothing from a miner or a validator, which go on", async () => {
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
      // Another's key, under its own name and under an allowed one.
      let refused = await send(await sign(eve));
      // A miner reads the subnet again first: a block may have registered them.
      while (refused[0] === 503) refused = await send(await sign(eve));
      expect(refused, path).toEqual([403, "not_allowed"]);
      const strange = await sign(eve);
      expect(await send({ ...strange, "epistula-signed-by": ALICE }), path)
        .toEqual([401, "signature_invalid"]);
      // A request for another neuron.
      expect(await send(await sign(alice, eve.hotkey.address)), path)
        .toEqual([401, "request_unsigned"]);
      for (const declared of [true, false]) {
        expect(await sendHuge({ url, path, hotkey, caller: alice, declared }), path).toBe(413);
      }
      expect(await send(await sign(alice)), path).toEqual([200, undefined]);
    }
  });
});
test("receipts of users stay between user and miner", async () => {
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
  const [before] = (await seen(validator)).miners;
  expect((await ask(validator)).status).toBe(200);
  const [after] = (await seen(validator)).miners;
  expect(after).toMatchObject({ served: before.served + 1, failed: 0 });
});

test("an image drawn by AUTOMATIC1111's interface says its receipt, and an agent finds a copy honest", async () => {
  const response = await fetch(`${validator.url}/sdapi/v1/txt2img`, {
    ...{ method: "POST", headers: { authorization: `Basic ${btoa(`anybody:${KEY}`)}` } },
    body: JSON.stringify({ prompt: "a red tau symbol", seed: 7, ...SMALL }),
  });
  const { images: [image] } = await response.json();
  const file = Uint8Array.fromBase64(image);
  const { prompt, parameters } = readInfotext(textIn(file, "png") ?? "");
  expect([prompt, parameters.Seed]).toEqual(["a red tau symbol", "7"]);
  const sha256 = fileHash(withoutMetadata(file, "png"));
  const { receipts } = await (await fetch(`${validator.url}/v1/receipts?image=${sha256}`)).json();
  expect(receipts.map(({ id }: { id: string }) => id)).toEqual([parameters["Stepwise receipt"]]);
  const copy = resize(await decodeInputImage(file, "image"), { width: 100, height: 100 });
  const client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${validator.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${KEY}` } },
    }),
  );
  const { structuredContent } = await client.callTool({
    name: "verify_image",
    arguments: { image: (await encodeImage(copy, "jpeg", 70)).toBase64() },
  });
  expect(structuredContent).toMatchObject({
    ...{ verdict: "honest", match: "looks", receipt: parameters["Stepwise receipt"] },
  });
  await client.close();
});
