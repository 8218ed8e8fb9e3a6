import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openModel, type OpenModelOptions } from "../../../server/models/mod.ts";
import { runCli } from "../../fixtures/cli.ts";
import { filesUnder, golden } from "../../fixtures/golden_models.ts";
import { COMMIT, HubServer } from "../../fixtures/hub_server.ts";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { filesIn, temporaryFolder } from "../../fixtures/temporary_folder.ts";

const SD1 = golden("pipelines/pipe-sd1");
const UNET = "unet/diffusion_pytorch_model.safetensors";

type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** Of a safetensors file. */
type Header = Record<string, { shape: number[]; data_offsets: [number, number] }>;

const jsonBytes = (json: unknown) => new TextEncoder().encode(JSON.stringify(json));
const jsonOf = (bytes: Uint8Array = new Uint8Array()) =>
  JSON.parse(new TextDecoder().decode(bytes));

/** Changes the header of the UNet's file; its weights stay. */
function changeHeader(files: Files, change: (header: Header) => void): void {
  const bytes = files.get(UNET) ?? new Uint8Array();
  const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header: Header = jsonOf(bytes.subarray(8, end));
  change(header);
  const json = jsonBytes(header);
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, BigInt(json.length), true);
  files.set(UNET, Uint8Array.from([...start, ...json, ...bytes.subarray(end)]));
}

function changeConfig(files: Files, change: Readonly<Record<string, unknown>>): void {
  files.set("unet/config.json", jsonBytes({ ...jsonOf(files.get("unet/config.json")), ...change }));
}

const BAD: readonly (readonly [string, (files: Files) => void, RegExp])[] = [
  [
    "a file cut short",
    (files) => files.set(UNET, files.get(UNET)?.slice(0, -100) ?? new Uint8Array()),
    /Cannot read unet\/diffusion_pytorch_model\.safetensors of .* ends at byte \d+ of \d+/,
  ],
  [
    "overlapping tensors",
    (files) =>
      changeHeader(files, (header) => {
        header["conv_in.weight"].data_offsets = header["conv_out.weight"].data_offsets;
        header["conv_in.weight"].shape = header["conv_out.weight"].shape;
      }),
    /conv_\w+\.weight claims bytes from \d+ on, another's up to \d+/,
  ],
  [
    "a tensor missing",
    (files) => changeHeader(files, (header) => delete header["conv_in.weight"]),
    /conv_in\.weight/,
  ],
  [
    "a tensor of another shape",
    (files) => changeHeader(files, (header) => header["conv_in.weight"].shape.reverse()),
    /conv_in\.weight is \[3,3,4,\d+\], not \[\d+,4,3,3\]/,
  ],
  [
    "an unknown field in its configuration",
    (files) => changeConfig(files, { colour: "blue" }),
    /colour/,
  ],
  [
    "a pickle alone",
    (files) => {
      files.delete(UNET);
      files.set("unet/diffusion_pytorch_model.bin", Uint8Array.of(0x80, 2));
    },
    /unet\/diffusion_pytorch_model\.bin is a pickle, which can run code/,
  ],
  [
    "a shard missing",
    (files) => {
      const shard = "diffusion_pytorch_model-00001-of-00002.safetensors";
      files.delete(UNET);
      files.set(`${UNET}.index.json`, jsonBytes({ weight_map: { "conv_in.weight": shard } }));
    },
    /its shard diffusion_pytorch_model-00001-of-00002\.safetensors is missing/,
  ],
];

async function written(files: Files): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, bytes] of files) {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.writeFile(join(folder, path), bytes);
  }
  return folder;
}

/** Asks for an image, and expects an error in its place. */
async function refusal(model: string): Promise<string> {
  const out = await temporaryFolder();
  const { code, stderr } = await runCli([
    ...["generate", "a bird", "--model", model, "--compute", "cpu", "--steps", "1"],
    ...["--width", "64", "--height", "64", "--out", join(out, "bird.png")],
    ...["--receipt-out", join(out, "r.json"), "--transcript-out", join(out, "t.safetensors")],
  ]);
  expect({ code, files: filesIn(out) }).toEqual({ code: 2, files: [] });
  return stderr;
}

describe("a folder in safetensors is refused by name, and nothing is written, with", () => {
  test.each(BAD)("%s", async (_, spoil, message) => {
    const files = filesUnder(SD1);
    spoil(files);
    expect(await refusal(await written(files))).toMatch(message);
  });

  test("a header of 2 GB", async () => {
    const folder = await written(filesUnder(SD1));
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, 2_000_000_000n, true);
    await Deno.writeFile(join(folder, UNET), start);
    // Sparse: as large as it claims, without the bytes.
    await Deno.truncate(join(folder, UNET), 2_100_000_000);
    expect(await refusal(folder)).toMatch(
      /its header claims 2000000000 bytes, of at most 100000000 and 2100000000/,
    );
  });
});

describe("a hub that answers", () => {
  let hub: HubServer;
  let cacheFolder: string;
  let options: OpenModelOptions;
  beforeEach(async () => {
    hub = await HubServer.start(filesUnder(SD1));
    cacheFolder = await temporaryFolder();
    options = {
      ...{ cacheFolder, hubEndpoint: hub.endpoint, hubToken: "" },
      transport: { backoffMs: 5, attempts: 3, stallMs: PATIENCE_MS },
    };
  });
  afterEach(() => hub[Symbol.asyncDispose]());

  /** Weights below the cache. */
  const weights = () =>
    [...filesUnder(cacheFolder).keys()].filter((path) => path.includes(".safetensors"));

  test("401: how to give a token and accept the terms, and nothing is written", async () => {
    hub.token = "hf_secret";
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(
        /answered 401.*accept its terms on the model's page.*HF_TOKEN/,
      ),
    });
    expect(filesIn(cacheFolder)).toEqual([]);
  });

  test("403 for the weights of a gated model: the same, and no weights are written", async () => {
    hub.fault(UNET, { status: 403 });
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringMatching(
        /answered 403.*accept its terms on the model's page.*HF_TOKEN/,
      ),
    });
    expect(weights().filter((path) => path.includes("unet"))).toEqual([]);
  });

  test.each(["hf:acme/other", "hf:acme/tiny@v9"])("404 for %s: names it", async (source) => {
    await expect(openModel(source, options)).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("the hub has no such repository or revision"),
    });
    expect(filesIn(cacheFolder)).toEqual([]);
  });

  test("429 with a short Retry-After: it is kept to, and the model comes", async () => {
    hub.fault(UNET, { status: 429, retryAfter: "0", times: 1 });
    const files = await openModel("hf:acme/tiny", options);
    expect(files.name).toBe(`hf:acme/tiny@${COMMIT}`);
  });

  test("429 with a long Retry-After: says how long, and no weights are written", async () => {
    hub.fault(UNET, { status: 429, retryAfter: "600" });
    await expect(openModel("hf:acme/tiny", options)).rejects.toMatchObject({
      code: "download_failed",
      message: expect.stringContaining("answered 429 and asks to wait 600 s"),
    });
    expect(weights().filter((path) => path.includes("unet"))).toEqual([]);
  });
});

test("a ControlNet is refused for a transformer when it is opened, not at each request", async () => {
  const controls = [golden("pipelines/pipe-sd1-controlnet")];
  await expect(openModel(golden("pipelines/pipe-sd3"), { controls })).rejects.toMatchObject({
    code: "unsupported_setting",
    message: expect.stringMatching(/^Cannot use a ControlNet with .*pipe-sd3/),
  });
});
