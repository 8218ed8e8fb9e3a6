import { readFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Pipeline } from "../../../core/generation/mod.ts";
import type { Runtime } from "../../../core/inference/mod.ts";
import type { ModelFiles } from "../../../core/model/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import { DescribedFiles, describeFiles } from "../../../core/remote/mod.ts";
import { cpuRuntime } from "../../../server/compute/mod.ts";
import { openKnownModel, openModel } from "../../../server/models/mod.ts";
import { COMMIT, HubServer } from "../../fixtures/hub_server.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const fileOf = (family: string) =>
  join(GOLDEN, `checkpoints/single-file-${family}/model.safetensors`);
const folderOf = (family: string) => join(GOLDEN, `pipelines/pipe-${family}`);

let runtime: Runtime;
beforeAll(async () => {
  runtime = await cpuRuntime();
});

/** One image of two steps, as bytes. */
async function imageOf(files: ModelFiles): Promise<Uint8Array> {
  await using pipeline = await Pipeline.open(files, runtime);
  const defaults = { width: 64, height: 64, steps: 2, guidanceScale: 5, seed: 7n };
  const request = decodeRequest({ prompt: "a red bird", scheduler: "euler" }, defaults);
  const { images: [image] } = await pipeline.generate(request);
  return new Uint8Array(image.data);
}

describe.each(["sd1", "sdxl"])("a checkpoint in one file, %s", (family) => {
  let files: ModelFiles;
  let image: Uint8Array;
  beforeAll(async () => {
    files = await openModel(fileOf(family), { configs: folderOf(family) });
    image = await imageOf(files);
  });

  test("makes the image that its folder makes, bit for bit", async () => {
    expect(await imageOf(await openModel(folderOf(family)))).toEqual(image);
  });

  test("is the same model under any name", async () => {
    const renamed = join(await temporaryFolder(), "My Dream v8 (final).safetensors");
    await copyFile(fileOf(family), renamed);
    const manifests = [];
    for (const path of [fileOf(family), renamed]) {
      const { facts } = await openKnownModel(path, { configs: folderOf(family) });
      manifests.push((await facts()).manifest);
    }
    expect(manifests[0]).toBe(manifests[1]);
  });

  test("is read at the other end of a channel as here", async () => {
    const sent = JSON.parse(JSON.stringify(describeFiles(files, "")));
    class Far extends DescribedFiles {
      bytes: ModelFiles["bytes"] = (path, range) => files.bytes(path, range);
    }
    expect(await imageOf(new Far(sent))).toEqual(image);
  });
});

test("a file whose text encoder knows other words is refused with what to give", async () => {
  await expect(openModel(fileOf("sd1"))).rejects.toMatchObject({
    code: "model_invalid",
    message: expect.stringContaining("knows 1014 words, and CLIP's vocabulary has 49408"),
  });
});

describe("another VAE", () => {
  let own: Uint8Array;
  let other: Uint8Array;
  beforeAll(async () => {
    own = await imageOf(await openModel(folderOf("sdxl")));
    other = await imageOf(await openModel(folderOf("sdxl"), { vae: folderOf("sd1") }));
  });

  test("of a folder makes another image of the same latent", () => {
    expect(other.length).toBe(own.length);
    expect(other).not.toEqual(own);
  });

  test.each([
    ["of a VAE's own folder", join(folderOf("sd1"), "vae")],
    ["of a file of weights", join(folderOf("sd1"), "vae/diffusion_pytorch_model.safetensors")],
  ])("%s makes an image too", async (_, vae) => {
    const image = await imageOf(await openModel(folderOf("sdxl"), { vae }));
    expect(image).not.toEqual(own);
  });

  test("counts in the manifest", async () => {
    const plain = await (await openKnownModel(folderOf("sdxl"))).facts();
    const replaced = await (await openKnownModel(folderOf("sdxl"), { vae: folderOf("sd1") }))
      .facts();
    expect(replaced.manifest).not.toBe(plain.manifest);
  });

  test("that is no VAE is refused", async () => {
    const vae = join(folderOf("sd1"), "unet/diffusion_pytorch_model.safetensors");
    await expect(openModel(folderOf("sdxl"), { vae })).rejects.toMatchObject({
      code: "model_invalid",
    });
  });
});

describe("on a server", () => {
  let server: HubServer;
  beforeAll(async () => {
    const bytes = new Uint8Array(readFileSync(fileOf("sd1")));
    server = await HubServer.start(new Map([["dream.safetensors", bytes]]));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ["a hub's repository", () => "hf:acme/tiny/dream.safetensors", `hf:acme/tiny@${COMMIT}`],
    [
      "a web server",
      () => `${server.plain.replace(/\/?$/, "/")}dream.safetensors`,
      "dream.safetensors",
    ],
  ])("a checkpoint of %s is fetched once", async (_, source, name) => {
    const options = {
      cacheFolder: await temporaryFolder(),
      hubEndpoint: server.endpoint,
      hubToken: "",
      configs: folderOf("sd1"),
    };
    const files = await openModel(source(), options);
    expect(files.name).toContain(name);
    const before = server.seen.filter(({ method }) => method === "GET").length;
    expect((await openModel(source(), options)).paths).toEqual(files.paths);
    const after = server.seen.filter(({ method }) => method === "GET");
    expect(after.slice(before).filter(({ path }) => path.endsWith(".safetensors"))).toEqual([]);
  });
});
