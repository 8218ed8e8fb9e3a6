import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ModelInfo, PartInfo } from "../../../server/library/info.ts";
import { runCli } from "../../fixtures/cli.ts";
import { filesUnder, golden } from "../../fixtures/golden_models.ts";
import { HubServer } from "../../fixtures/hub_server.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const SD1 = golden("pipelines/pipe-sd1");

let hub: HubServer | undefined;
afterEach(async () => {
  await hub?.[Symbol.asyncDispose]();
  hub = undefined;
});

async function info(source: string, cache = "", flags: readonly string[] = []) {
  const { stdout, stderr, code } = await runCli(["models", "info", source, "--json", ...flags], {
    STEPWISE_CACHE: cache,
    HF_ENDPOINT: hub?.endpoint ?? "http://127.0.0.1:9",
    HF_HUB_DISABLE_IMPLICIT_TOKEN: "1",
  });
  return { code, stderr, json: code === 0 ? JSON.parse(stdout) : undefined };
}

/** Bytes of the header that a file says, and its own eight. */
function headerEnd(bytes: Uint8Array): number {
  return 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
}

describe("a folder in safetensors", () => {
  let local: ModelInfo;
  beforeAll(async () => {
    local = (await info(SD1)).json;
  });

  test("is described part by part", () => {
    const names = ({ part, className }: PartInfo) => [part, className];
    expect(local.parts.map(names)).toEqual([
      ["text_encoder", "CLIPTextModel"],
      ["unet", "UNet2DConditionModel"],
      ["vae_decoder", "AutoencoderKL"],
    ]);
    expect(local).toMatchObject({ pipeline: "StableDiffusionPipeline", makesImages: true });
  });

  test("takes as much memory for weights in float32 as its files have", () => {
    const unet = Deno.readFileSync(`${SD1}/unet/diffusion_pytorch_model.safetensors`);
    const weights = unet.length - headerEnd(unet);
    const { bytes, memory } = local.parts[1];
    expect(bytes).toEqual({ F32: weights });
    // The written graph is in memory too: its nodes and small constants.
    expect(memory?.float32).toBeGreaterThanOrEqual(weights);
    expect(memory?.float16).toBe(memory?.float32);
  });

  test("on a hub is told by headers alone, and nothing is kept", async () => {
    const files = filesUnder(SD1);
    hub = await HubServer.start(files);
    const cache = await temporaryFolder();
    const { json } = await info("hf:acme/tiny", cache);
    expect({ ...json, name: local.name }).toEqual(local);
    expect(filesIn(cache)).toEqual([]);
    const reads = hub.seen.filter(({ path, method, status }) =>
      path.endsWith(".safetensors") && method === "GET" && status !== 302
    );
    expect(reads.length).toBeGreaterThan(0);
    for (const { path, headers } of reads) {
      const [, end] = /^bytes=\d+-(\d+)$/.exec(headers.range ?? "") ?? [];
      const bytes = files.get(path.replace("/cdn/", "")) ?? new Uint8Array(8);
      expect(Number(end), path).toBeLessThan(headerEnd(bytes));
    }
  });

  test("on a web server is told the same", async () => {
    hub = await HubServer.start(filesUnder(SD1));
    const { json } = await info(hub.plain);
    expect({ ...json, name: local.name }).toEqual(local);
  });

  test("on a server that sends whole files alone is not fetched", async () => {
    hub = await HubServer.start(filesUnder(SD1));
    hub.fault("unet/diffusion_pytorch_model.safetensors", { ignoreRange: true });
    const { code, stderr } = await info(hub.plain);
    expect(code).toBe(2);
    expect(stderr).toMatch(/Cannot read unet.*whole files alone.*Download it/);
  });
});

test("float16 weights are widened on the CPU, and stay half as large on a GPU with float16", async () => {
  const { json: { parts: [, unet] } } = await info(await withHalfUnet());
  const stored = unet.bytes.F16;
  expect(unet.memory.float16).toBeGreaterThanOrEqual(stored);
  expect(unet.memory.float32 - unet.memory.float16).toBeGreaterThan(0.9 * stored);
});

/** The SD 1 folder with the UNet of another one, in float16. */
async function withHalfUnet(): Promise<string> {
  const folder = await temporaryFolder();
  const half = filesUnder(golden("architectures/unet-sd1-f16"));
  for (const [path, bytes] of filesUnder(SD1)) {
    const name = path.replace("unet/", "").replace("_model.", "_model.fp16.");
    await Deno.mkdir(`${folder}/${path}`.replace(/[^/]+$/, ""), { recursive: true });
    if (path.startsWith("unet/") && path.endsWith(".safetensors")) {
      const file = `${folder}/unet/diffusion_pytorch_model.fp16.safetensors`;
      await Deno.writeFile(file, half.get(name) ?? new Uint8Array());
    } else {
      const own = path.startsWith("unet/") ? half.get(name) : bytes;
      await Deno.writeFile(`${folder}/${path}`, own ?? bytes);
    }
  }
  return folder;
}

test("a pipeline that is not built is described, and said to make no images", async () => {
  const index = {
    _class_name: "FluxFillPipeline",
    scheduler: ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    text_encoder: ["transformers", "CLIPTextModel"],
    text_encoder_2: ["transformers", "T5EncoderModel"],
    transformer: ["diffusers", "FluxTransformer2DModel"],
    vae: ["diffusers", "AutoencoderKL"],
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const part = (name: string, from: string) =>
    filesUnder(golden(`architectures/${from}`), `${name}/`);
  hub = await HubServer.start(
    new Map([
      ["model_index.json", json(index)],
      ["scheduler/scheduler_config.json", json({ _class_name: "FlowMatchEulerDiscreteScheduler" })],
      ...part("text_encoder", "clip-l-quick-gelu"),
      ...part("text_encoder_2", "t5-gated-gelu"),
      ...part("transformer", "flux-schnell"),
      ...part("vae", "vae-flux16"),
    ]),
  );
  const { json: flux } = await info("hf:acme/tiny");
  expect(flux.makesImages).toBe(false);
  expect(flux.parts.map(({ className }: PartInfo) => className)).toEqual([
    "CLIPTextModel",
    "T5EncoderModel",
    "FluxTransformer2DModel",
    "AutoencoderKL",
  ]);
  expect(flux.memory.float32).toBeGreaterThan(0);
});

describe("one file", () => {
  test("of a checkpoint is described as the folder that it stands for", async () => {
    const file = golden("checkpoints/single-file-sd1/model.safetensors");
    const { json } = await info(file, "", ["--configs", SD1]);
    expect(json).toMatchObject({ kind: "model", pipeline: "StableDiffusionPipeline" });
    expect(json.bytes).toBe(Deno.statSync(file).size);
  });

  test.each([
    ["a LoRA", "adapters/lora-sd1-kohya/lora.safetensors", /^it is a LoRA/],
    ["a VAE", "pipelines/pipe-sd1/vae/diffusion_pytorch_model.safetensors", /^it is a VAE alone/],
    [
      "a UNet",
      "pipelines/pipe-sd1/unet/diffusion_pytorch_model.safetensors",
      /^it is a UNet alone/,
    ],
    [
      "a text encoder",
      "pipelines/pipe-sd1/text_encoder/model.safetensors",
      /^it is a text encoder/,
    ],
  ])("that is %s is said to be one", async (_, path, what) => {
    const { json } = await info(golden(path));
    expect(json).toMatchObject({ kind: "file", what: expect.stringMatching(what) });
  });

  test("a repository with a LoRA alone is said to be one", async () => {
    const lora = Deno.readFileSync(golden("adapters/lora-sd1-peft/lora.safetensors"));
    hub = await HubServer.start(new Map([["pytorch_lora_weights.safetensors", lora]]));
    expect((await info("hf:acme/tiny")).json).toMatchObject({
      what: expect.stringMatching(/LoRA/),
    });
  });

  test("that is a pickle is refused with the reason", async () => {
    const file = `${await temporaryFolder()}/model.ckpt`;
    await Deno.writeFile(file, Uint8Array.of(0x80, 2, 0x7d, 0x71, 0, 0x2e, 0, 0, 0));
    expect(await info(file)).toMatchObject({ code: 2, stderr: expect.stringContaining("pickle") });
  });
});

test("people get a table and sentences", async () => {
  const { stdout } = await runCli(["models", "info", SD1]);
  expect(stdout).toMatch(/^part +class +weights$/m);
  expect(stdout).toMatch(/^unet +UNet2DConditionModel +\d+ kB F32$/m);
  expect(stdout).toMatch(/^Memory for weights: .* on a GPU with float16, .* on the CPU/m);
});
