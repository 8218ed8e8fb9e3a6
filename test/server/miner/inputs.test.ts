import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Pipeline } from "../../../core/generation/mod.ts";
import { addressOf, type InputFiles, PATHS } from "../../../core/protocol/mod.ts";
import { decodeRequest, encodeRequest } from "../../../core/request/mod.ts";
import { openVerifier } from "../../../core/verifier/mod.ts";
import { openWallet, type Wallet } from "../../../server/chain/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { type Miner, type MinerOptions, startMiner } from "../../../server/miner/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { type CheckedAnswer, MinerCaller } from "../../../server/validator/miner_caller.ts";
import { localScorer, type Scorer } from "../../../server/validator/scorer.ts";
import { bytesHash } from "../../fixtures/bytes_hash.ts";
import { fileOf, gradient, leftHalf } from "../../fixtures/pictures.ts";
import { rejection } from "../../fixtures/rejection.ts";

const SIDE = 64;
let folder: string;
let validator: Wallet;
let [generator, miner]: Miner[] = [];
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
  const engine = stack.use(await Pipeline.open(model.files, await cpuRuntime()));
  score = localScorer(await openVerifier(model), engine);
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

function ask(fields: Record<string, unknown>, inputs: InputFiles): Promise<CheckedAnswer> {
  const defaults = { width: SIDE, height: SIDE, steps: 5, guidanceScale: 4, seed: 5n };
  const request = encodeRequest(
    decodeRequest({ prompt: "a golden tau symbol", ...fields }, defaults),
  );
  return caller.generate(peer(), { request, format: "png", inputs, timeoutMs: 60_000 });
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
