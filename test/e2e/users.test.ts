import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { join } from "node:path";
import OpenAI from "openai";
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
import { runCli } from "../fixtures/cli.ts";
import { sendHuge } from "../fixtures/huge_request.ts";
import { ALICE, ask, KEY, NO_STRESS, seen, SMALL, startSubnet } from "./subnet_processes.ts";

/** Of all cases: one miner, and a validator that asks it for users alone. */
let bob: DemoProcess;
let validator: DemoProcess;
let folder: string;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const subnet = await startSubnet(["//Bob"], {}, (stop) => stack.defer(stop));
  folder = subnet.folder;
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

describe("a newcomer's ten minutes", () => {
  let key: string;

  test("a key is made, and OpenAI's own client draws with it, seeing the image grow", async () => {
    const storage = join(folder, "validator");
    const made = await runCli(["keys", "new", "newcomer", "--images", "9", "--storage", storage]);
    key = made.stdout.trim();
    const baseURL = `${validator.url}/v1`;
    const openai = new OpenAI({ apiKey: key, baseURL, dangerouslyAllowBrowser: true });
    // The client hands fields on that it does not know; the model's own would be 20 steps.
    const asked = { prompt: "a red tau symbol", steps: 6 };
    const { data } = await openai.images.generate({ ...asked, size: "256x256" });
    expect(await verdictOf(data?.[0].b64_json ?? "")).toBe("honest");
    const events = [];
    const stream = { ...asked, stream: true, partial_images: 1 } as const;
    for await (const event of await openai.images.generate(stream)) events.push(event);
    expect(events.map(({ type }) => type))
      .toEqual(["image_generation.partial_image", "image_generation.completed"]);
    const small = Uint8Array.fromBase64(events[0].b64_json);
    // A latent has an eighth of tau-tiny's 256 pixels a side.
    expect(await decodeInputImage(small, "image")).toMatchObject({ width: 32, height: 32 });
  });

  test("Open WebUI's calls draw, and the image is found and honest", async () => {
    // As its routers/images.py sends them: the options whole, then the image.
    const sdapi = async (path: string, body?: unknown) => {
      const response = await fetch(`${validator.url}/sdapi/v1/${path}`, {
        headers: { authorization: `Basic ${btoa(`webui:${key}`)}` },
        ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
      });
      expect(response.status, path).toBe(200);
      return await response.json();
    };
    const options = await sdapi("options");
    const [{ title }] = await sdapi("sd-models");
    await sdapi("options", { ...options, sd_model_checkpoint: title });
    const { images: [image], info } = await sdapi("txt2img", {
      ...{ prompt: "a red tau symbol", batch_size: 1, width: 256, height: 256 },
      ...{ steps: 6, negative_prompt: "blurry" },
    });
    expect(JSON.parse(info).width).toBe(256);
    expect(await verdictOf(image)).toBe("honest");
  });

  /** What `deno task verify` says of an image, by nothing but its file and the validator. */
  async function verdictOf(base64: string): Promise<unknown> {
    const file = withoutMetadata(Uint8Array.fromBase64(base64), "png");
    const found = await fetch(`${validator.url}/v1/receipts?image=${fileHash(file)}`);
    const { receipts: [{ receipt, miner, token }] } = await found.json();
    const [receiptFile, imageFile] = [join(folder, "r.json"), join(folder, "x.png")];
    await Deno.writeTextFile(receiptFile, JSON.stringify(receipt));
    await Deno.writeFile(imageFile, file);
    const { code, stdout, stderr } = await runCli([
      ...["verify", receiptFile, imageFile, "--from", miner, "--token", token],
      ...["--compute", "cpu", "--json"],
    ]);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout).verdict;
  }
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
