import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ImageEngine, Pipeline } from "../../../core/generation/mod.ts";
import { decodeInputImage, type ImageFormat, resize } from "../../../core/image/mod.ts";
import {
  addressOf,
  imageOfMiner,
  type InputFiles,
  minerAddress,
  openingsOfMiner,
  PATHS,
} from "../../../core/protocol/mod.ts";
import { decodeRequest, encodeRequest, type GenerationRequest } from "../../../core/request/mod.ts";
import { lanczos } from "../../../core/upscale/mod.ts";
import { chooseSteps, openVerifier, type Verifier } from "../../../core/verifier/mod.ts";
import { openWallet, type Wallet } from "../../../server/chain/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { type Miner, type MinerOptions, startMiner } from "../../../server/miner/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { type CheckedAnswer, MinerCaller } from "../../../server/validator/miner_caller.ts";
import { refined, type RefiningParts } from "../../../server/validator/refined.ts";
import { pictureWork } from "../../../server/gateway/files/picture_work.ts";
import { localScorer, type Scorer } from "../../../server/validator/scorer.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { fileOf, gradient, leftHalf } from "../../fixtures/pictures.ts";
import { rejection } from "../../fixtures/rejection.ts";

const SIDE = 64;
let folder: string;
let validator: Wallet;
let [generator, miner]: Miner[] = [];
let engine: ImageEngine;
let verifier: Verifier;
let score: Scorer;
let caller: MinerCaller;
let [photo, mask]: Uint8Array<ArrayBuffer>[] = [];
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  folder = await Deno.makeTempDir();
  validator = await openWallet({ path: "", name: "", hotkey: "//Alice", network: "devnet" });
  [photo, mask] = [await fileOf(gradient(SIDE, 40), "jpeg"), await fileOf(leftHalf(SIDE))];
  generator = await start("generator", {});
  // What validators call sends its requests on, as it does with any generator's.
  miner = await start("axon", { generators: [generator.url] });
  const model = await openKnownModel("embedded");
  engine = stack.use(await Pipeline.open(model.files, await cpuRuntime()));
  verifier = await openVerifier(model);
  score = localScorer(verifier, engine);
  caller = new MinerCaller(validator.hotkey);
});

afterAll(async () => {
  await miner[Symbol.asyncDispose]();
  await generator[Symbol.asyncDispose]();
  await stack.disposeAsync();
  await Deno.remove(folder, { recursive: true });
});

async function start(name: string, more: Partial<MinerOptions>): Promise<Miner> {
  return await startMiner({
    wallet: await openWallet({ path: "", name: "", hotkey: "//Bob", network: "devnet" }),
    ...{ hostname: "127.0.0.1", port: 0, model: "embedded", compute: "cpu", queue: 4, batch: 4 },
    ...{ folder: join(folder, name), maxTranscriptBytes: 2 ** 26, log: () => {} },
    whitelist: { hotkeys: [validator.hotkey.address] },
    ...more,
  });
}

const peer = () => ({ uid: 1, hotkey: miner.hotkey, url: miner.url });
const filesOf = (...files: Uint8Array<ArrayBuffer>[]): InputFiles =>
  new Map(files.map((file) => [bytesHash(file), file]));

function requestOf(fields: Record<string, unknown>): GenerationRequest {
  const defaults = { width: SIDE, height: SIDE, steps: 5, guidanceScale: 4, seed: 5n };
  return decodeRequest({ prompt: "a golden tau symbol", ...fields }, defaults);
}

function ask(
  fields: Record<string, unknown>,
  inputs: InputFiles,
  format: ImageFormat = "png",
): Promise<CheckedAnswer> {
  const request = encodeRequest(requestOf(fields));
  return caller.generate(peer(), { request, format, inputs, timeoutMs: 60_000 });
}

function inputAt(to: Miner, id: string, sha256: string, token?: string): Promise<Response> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return fetch(addressOf(to.url, PATHS.input, { id, sha256 }), { headers });
}

describe("a request with files", () => {
  test("is made from them, and is honest to the validator that has them", async () => {
    const inputs = filesOf(photo, mask);
    const answer = await ask({ image: bytesHash(photo), mask: bytesHash(mask) }, inputs);
    // 0.8 of an image is usual, and all of one that is repainted in places.
    expect(answer.receipt).toMatchObject({
      steps: 5,
      request: { image: bytesHash(photo), strength: 1 },
    });
    const given = await score({ ...answer, url: miner.url, inputs });
    expect(given).toMatchObject({ verdict: "honest", reasons: [] });
  });

  test("gives them to whoever has the opening token, and to nobody else", async () => {
    const inputs = filesOf(photo);
    const { id, receipt, token } = await ask({ image: bytesHash(photo), strength: 0.6 }, inputs);
    expect(receipt.steps).toBe(3);
    const got = await inputAt(miner, id, bytesHash(photo), token);
    expect(await got.bytes()).toEqual(photo);
    expect(got.headers.get("content-type")).toBe("application/octet-stream");
    const statuses = [
      await inputAt(miner, id, bytesHash(photo)),
      await inputAt(miner, id, bytesHash(photo), "A".repeat(43)),
      await inputAt(miner, id, bytesHash(mask), token),
      await inputAt(miner, id, "photo.png", token),
    ].map(({ status, body }) => (void body?.cancel(), status));
    expect(statuses).toEqual([401, 403, 404, 400]);
  });

  test("can be checked by who has the token alone: the files come with it", async () => {
    const answer = await ask({ image: bytesHash(photo), strength: 0.6 }, filesOf(photo));
    const { receipt, token } = answer;
    expect(await score({ receipt, token, url: miner.url })).toMatchObject({ verdict: "honest" });
    // They are gone with the transcript, and then nothing can be checked.
    await caller.forget(peer(), answer.id);
    expect((await inputAt(miner, answer.id, bytesHash(photo), token)).status).toBe(404);
    expect(await score({ receipt, token, url: miner.url })).toMatchObject({
      verdict: "withheld",
      reasons: [expect.stringMatching(/Cannot fetch inputs\/.*no longer has it/)],
    });
  });

  test("may steer it by a control image, which is kept for its checks", async () => {
    const control = [{ image: bytesHash(photo), preprocess: "canny", end: 0.8 }];
    const { id, receipt, token } = await ask({ control }, filesOf(photo));
    expect(receipt).toMatchObject({ request: { control: [{ network: "embedded" }] } });
    const got = await inputAt(miner, id, bytesHash(photo), token);
    expect(await got.bytes()).toEqual(photo);
    expect(await score({ receipt, token, url: miner.url })).toMatchObject({ verdict: "honest" });
  });

  test("is enlarged and drawn anew, and honest with its parent", async () => {
    const control = [{ image: bytesHash(photo), preprocess: "canny" }];
    const forwarder: RefiningParts["forwarder"] = {
      generate: async (request, format, waiting) => {
        const answer = await ask(encodeRequest(request), waiting?.inputs ?? filesOf(), format);
        const { bytes } = await caller.image(peer(), answer, 60_000);
        return { peer: peer(), answer, image: bytes, verdict: undefined };
      },
    };
    const { answer, parent } = await refined({
      ...{ request: requestOf({ control }), format: "webp", inputs: filesOf(photo) },
      refinement: { upscale: 1.5, refine: 0.5 },
    }, {
      forwarder,
      pictures: { ask: (_, name, order) => pictureWork[name](order as never) as never },
      owner: "",
    }, {});
    const { receipt, token, id } = answer;
    expect(receipt.request).toMatchObject({ width: 96, parent: parent.answer.id, control });
    const input = await inputAt(miner, id, String(receipt.request.image), token);
    const report = await verifier.verify({
      ...{ receipt, level: 3, drawn: chooseSteps(receipt, {}) },
      source: openingsOfMiner(minerAddress(miner.url, 60_000, token)),
      image: () => imageOfMiner(minerAddress(miner.url, 60_000, token), receipt),
      sources: {
        image: await decodeInputImage(await input.bytes(), "image"),
        controls: [resize(await decodeInputImage(photo, "control"), { width: 96, height: 96 })],
      },
      parent: {
        receipt: parent.answer.receipt,
        enlarged: { file: parent.image, upscaler: lanczos },
      },
      openEngine: () => Promise.resolve(engine),
    });
    expect(report).toMatchObject({
      ...{ verdict: "honest", level: 3, source: { maskDiffering: 0 } },
      parent: { receipt: parent.answer.id, upscaler: "lanczos", image: { psnr: null } },
    });
  });

  test.each<[string, () => Promise<CheckedAnswer>, RegExp]>([
    [
      "for a ControlNet that is not there",
      () =>
        ask({ control: [{ image: bytesHash(photo), network: "0f".repeat(32) }] }, filesOf(photo)),
      /control names the network 0f0f0f0f0f0f\.\.\., and the model was opened with embedded/,
    ],
    [
      "without its file",
      () => ask({ image: bytesHash(photo) }, filesOf()),
      /image is [0-9a-f]{12}\.\.\., and no such file came/,
    ],
    [
      "with a file that it does not name",
      () => ask({ image: bytesHash(photo) }, filesOf(photo, mask)),
      /no field of the request names it/,
    ],
    [
      "with a mask of another size",
      async () => {
        const small = await fileOf(leftHalf(32));
        const named = { image: bytesHash(photo), mask: bytesHash(small) };
        return ask(named, filesOf(photo, small));
      },
      /mask: it is 32x32 pixels, and the image 64x64/,
    ],
  ])("%s is refused by name", async (_, asked, why) => {
    const error = await rejection(asked());
    expect(error.message).toMatch(why);
    expect(error).toMatchObject({ said: "invalid_request" });
  });
});
