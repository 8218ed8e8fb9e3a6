import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sourceCheats } from "../../../core/adversary/mod.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import { Pipeline } from "../../../core/generation/mod.ts";
import { encodeImage, type RgbaImage } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import {
  leavesOfTranscript,
  makeReceipts,
  openStep,
  RunRecorder,
  transcriptFile,
} from "../../../core/prover/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import type { SourceImages } from "../../../core/generation/mod.ts";
import { openVerifier, type Verifier } from "../../../core/verifier/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel } from "../../../server/models/mod.ts";
import { fileHash } from "../../../core/transcript/mod.ts";
import { runCli } from "../../fixtures/cli.ts";

const SIDE = 64;

/** A gradient, bright where the mask is. */
function picture(tint: number): RgbaImage {
  const data = new Uint8ClampedArray(4 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    data.set([4 * (i % SIDE), tint, Math.floor(4 * i / SIDE), 255], 4 * i);
  }
  return { width: SIDE, height: SIDE, data };
}

/** Its left half is made anew. */
function halfMask(): RgbaImage {
  const data = new Uint8ClampedArray(4 * SIDE * SIDE).fill(255);
  for (let i = 0; i < SIDE * SIDE; i++) if (i % SIDE >= SIDE / 2) data.fill(0, 4 * i, 4 * i + 3);
  return { width: SIDE, height: SIDE, data };
}

describe("a run that starts from an image", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const generate = ["generate", "a golden tau symbol", "--compute", "cpu", "--steps", "5"];
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    await Deno.writeFile(path("photo.png"), await encodeImage(picture(40), "png"));
    await Deno.writeFile(path("other.png"), await encodeImage(picture(220), "png"));
    await Deno.writeFile(path("mask.png"), await encodeImage(halfMask(), "png"));
  });

  afterAll(() => Deno.remove(folder, { recursive: true }));

  async function made(name: string, ...flags: string[]) {
    const { code, stderr } = await runCli([
      ...[...generate, "--seed", "5", "--image", path("photo.png"), "--width", "64"],
      ...["--height", "64", "--out", path(`${name}.png`), "--receipt-out", path(`${name}.json`)],
      ...["--transcript-out", path(`${name}.safetensors`), ...flags],
    ]);
    expect(code, stderr).toBe(0);
    return [`${name}.json`, `${name}.safetensors`, `${name}.png`].map(path);
  }

  test("is honest, and its source is compared where that is given", async () => {
    const files = await made("whole", "--strength", "0.6");
    const verify = ["verify", ...files, "--compute", "cpu", "--json", "--steps", "all"];
    const plain = JSON.parse((await runCli(verify)).stdout);
    // int(5 * 0.6) of the steps, as diffusers counts.
    expect(plain).toMatchObject({ verdict: "honest", level: 3, of: 3, source: null });
    const given = await runCli([...verify, "--source", path("photo.png")]);
    const report = JSON.parse(given.stdout);
    expect(report).toMatchObject({ verdict: "honest", source: { maskDiffering: 0 } });
    expect(report.source.error).toBeLessThan(1e-6);
    const other = await runCli([...verify, "--source", path("other.png")]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/other\.png has the hash .{64}, and the request's image is .{64}/);
  });

  test("keeps what the mask is black for, and is honest", async () => {
    const files = await made("places", "--mask", path("mask.png"));
    const { stdout } = await runCli([
      ...["verify", ...files, "--compute", "cpu", "--json", "--steps", "all"],
      ...["--source", path("photo.png"), "--source-mask", path("mask.png")],
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: "honest",
      of: 5,
      source: { maskDiffering: 0 },
    });
  });

  test("a file that is too long is refused unread", async () => {
    await Deno.writeFile(path("long.png"), new Uint8Array());
    await Deno.truncate(path("long.png"), 2 ** 26 + 1);
    const { code, stderr } = await runCli([...generate, "--image", path("long.png")]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/Cannot read the image .*long\.png: it has 67108865 bytes, more than/);
  });

  test.each([
    [["--strength", "0.5"], "strength is .*0.5.* there is no image that it is for"],
    [["--image", "photo.png", "--strength", "0"], "strength is 0, not a number above 0, at most 1"],
    [["--image", "photo.png", "--strength", "0.1"], "less than one of 5 steps"],
    [["--image", "none.png"], "Cannot read the image .*none.png"],
    [["--mask", "mask.png"], "mask is .*there is no image that it is for"],
  ])("%j is refused", async (flags, why) => {
    const given = flags.map((flag) => flag.endsWith(".png") ? path(flag) : flag);
    const { code, stderr } = await runCli([...generate, ...given, "--out", path("refused.png")]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(new RegExp(why));
    await expect(Deno.stat(path("refused.png"))).rejects.toThrow();
  });
});

describe("cheats of a run that starts from an image", () => {
  let engine: ImageEngine;
  let verifier: Verifier;
  let model: Awaited<ReturnType<typeof openKnownModel>>;
  beforeAll(async () => {
    model = await openKnownModel("embedded");
    engine = await Pipeline.open(model.files, await cpuRuntime());
    verifier = await openVerifier(model);
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  /** A run of the cheat, checked against what its request names. */
  async function verified(cheat: string, stated: SourceImages & { readonly image: RgbaImage }) {
    const file = await encodeImage(stated.image, "png");
    const mask = stated.mask && await encodeImage(stated.mask, "png");
    const named = { image: fileHash(file), ...(mask && { mask: fileHash(mask) }) };
    const request = decodeRequest(
      { prompt: "a golden tau symbol", ...named, strength: 0.6 },
      { width: SIDE, height: SIDE, steps: 5, guidanceScale: 4, seed: 5n },
    );
    const found = sourceCheats.find(({ name }) => name === cheat);
    if (!found) throw new Error(`no cheat ${cheat}`);
    const { generation, leaves } = await found.run(engine, request, stated, picture(220));
    const recorder = new RunRecorder(request, { keep: true });
    for (const leaf of leaves) recorder.add(leaf);
    const image = await encodeImage(generation.images[0], "png");
    const commitments = recorder.finish([image], generation.plan);
    const [receipt] = await makeReceipts({
      ...{ generation, commitments, format: "png", files: [image] },
      model: await model.facts(),
      times: { started: 1, finished: 2 },
    }, openHotkey(undefined));
    const source = leavesOfTranscript(
      transcriptFile(generation, recorder.leaves, commitments),
      receipt,
      image,
    );
    return await verifier.verify({
      ...{ receipt, level: 3, drawn: { steps: [0, 2], draw: "chosen" } },
      source: ({ id, plan }, target) => openStep(source, receipt, plan, target, id),
      image: () => Promise.resolve(image),
      sources: stated,
      openEngine: () => Promise.resolve(engine),
    });
  }

  test.each([
    ["another source image", "suspect", /does not start from the image: .* at most/],
    ["an upscale without the refinement", "suspect", /step 0 is not what the network predicts/],
    ["strength lowered", "invalid", /its plan is not the expected one/],
  ])("%s is %s", async (name, expected, why) => {
    const { verdict, reasons } = await verified(name, { image: picture(40) });
    expect(verdict).toBe(expected);
    expect(reasons[0]).toMatch(why);
  });

  test("an ignored mask is suspect", async () => {
    const stated = { image: picture(40), mask: halfMask() };
    const { verdict, reasons } = await verified("an ignored mask", stated);
    expect(verdict).toBe("suspect");
    expect(reasons).toEqual([expect.stringMatching(/the mask is not the file's \(\d+ values\)/)]);
  });
});
