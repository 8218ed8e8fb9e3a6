import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { architectureOf, partGraphs } from "../../../core/architecture/mod.ts";
import { openSingleFile } from "../../../core/checkpoint/mod.ts";
import { toHalf } from "../../../core/half.ts";
import { readTensorIndex } from "../../../core/safetensors/mod.ts";
import { openPartFolder, weightsPath } from "../../../server/parts/part_folder.ts";
import { checkpointOf } from "../../fixtures/checkpoint_files.ts";
import { bytesFiles } from "../../fixtures/memory_files.ts";
import { indexOf, sd2, sdxl } from "../../fixtures/ldm_checkpoint.ts";

const GOLDEN = join(import.meta.dirname ?? ".", "../../golden");
const FILE = "model.safetensors";

const PIPELINES = {
  sd1: ["text_encoder", "unet", "vae"],
  sdxl: ["text_encoder", "text_encoder_2", "unet", "vae"],
} as const;

function json(path: string) {
  return JSON.parse(Deno.readTextFileSync(join(GOLDEN, path)));
}

/** Configurations of the tiny pipeline, whose groups and heads are its own. */
function configsOf(family: keyof typeof PIPELINES) {
  return Object.fromEntries(
    PIPELINES[family].map((part) => [part, json(`pipelines/pipe-${family}/${part}/config.json`)]),
  );
}

async function openGolden(family: keyof typeof PIPELINES, configs = configsOf(family)) {
  const files = await openPartFolder(join(GOLDEN, `checkpoints/single-file-${family}`));
  return { files, model: await openSingleFile(files, FILE, { configs }) };
}

describe.each(["sd1", "sdxl"] as const)("the single file of %s", (family) => {
  test.each(PIPELINES[family])("holds diffusers' %s bit for bit", async (part) => {
    const { files, model } = await openGolden(family);
    const { tensors } = model.parts[part];
    const folder = await openPartFolder(join(GOLDEN, `pipelines/pipe-${family}/${part}`));
    const expected = await readTensorIndex(folder, weightsPath(folder));
    expect([...tensors.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
    for (const [name, tensor] of tensors) {
      const other = expected.get(name);
      expect(tensor, name).toMatchObject({ name, dtype: other?.dtype, shape: other?.shape });
      const bytes = await files.bytes(FILE, tensor);
      const rows = tensor.transposed ? transpose(bytes, tensor.shape) : bytes;
      expect(rows, name).toEqual(other && await folder.bytes(other.path, other));
    }
  });

  test("has parts whose graphs take every tensor", async () => {
    const { model } = await openGolden(family);
    for (const { config, tensors } of Object.values(model.parts)) {
      expect(partGraphs(architectureOf(config), config, tensors)).not.toEqual({});
    }
  });

  test("has the configuration of its pipeline, but for what no file says", async () => {
    const { model } = await openGolden(family, {});
    const notSaid = /^_|groups|head|^sample_size$|^(bos|pad|eos)_token_id$|eps$/;
    for (const [part, given] of Object.entries(configsOf(family))) {
      for (const [field, value] of Object.entries(model.parts[part].config)) {
        const known = notSaid.test(field) || field === "force_upcast";
        if (!known) expect([part, field, value]).toEqual([part, field, given[field]]);
      }
    }
    const index = json(`pipelines/pipe-${family}/model_index.json`);
    const { scheduler: _, ...classes } = model.modelIndex;
    expect(index).toMatchObject(classes);
  });
});

/** @param shape rows and columns that are wanted of float32 that is column after column. */
function transpose(bytes: Uint8Array<ArrayBuffer>, [rows, columns]: readonly number[]) {
  const values = new Uint32Array(bytes.buffer);
  const turned = values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]);
  return new Uint8Array(turned.buffer);
}

const NORM = "model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias";

// The bound is ComfyUI's; the values are made to lie on either side of it.
test.each([[0.1, "v_prediction"], [0.08, "epsilon"]])(
  "SD 2 whose last norm's biases are spread by %d predicts %s",
  async (spread, prediction) => {
    const values = Float32Array.from({ length: 320 }, (_, i) => 1 + (i % 2 ? spread : -spread));
    const files = checkpointOf(FILE, indexOf(sd2()), {
      [NORM]: new Uint8Array(toHalf(values).buffer),
    });
    const model = await openSingleFile(files, FILE);
    expect(model.scheduler.prediction_type).toBe(prediction);
    expect(model.notices).toHaveLength(1);
  },
);

test("no weight of SDXL is read, and the caller's word counts more than numbers", async () => {
  expect((await openSingleFile(checkpointOf(FILE, indexOf(sdxl())), FILE)).family).toBe("sdxl");
  const zeros = { [NORM]: new Uint8Array(640) };
  const model = await openSingleFile(checkpointOf(FILE, indexOf(sd2()), zeros), FILE, {
    prediction: "v_prediction",
  });
  expect(model.scheduler.prediction_type).toBe("v_prediction");
});

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const PADDING = "\0".repeat(64);

describe("a file of another format is refused by name", () => {
  test.each<[string, string, string]>([
    [
      "torch's zip",
      "PK\x03\x04",
      "it is a zip archive, as torch saves pickles (.ckpt): a pickle can",
    ],
    [
      "a pickle",
      "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P",
      "it is a pickle (.ckpt), which can run code",
    ],
    ["GGUF", "GGUF\x03\0\0\0", "it is GGUF, whose quantized weights"],
    ["a 7z archive", "7z\xbc\xaf\x27\x1c", "it is an archive. Unpack it"],
    [
      "Git LFS",
      "version https://git-lfs.github.com/spec/v1\noid sha256:ab",
      "it is a pointer of Git LFS",
    ],
    ["a page", "<!DOCTYPE html><html>Log in</html>", "it is a web page"],
  ])("%s", async (_, start, why) => {
    const files = bytesFiles({ [FILE]: bytesOf(start + PADDING) });
    const opened = openSingleFile(files, FILE);
    await expect(opened).rejects.toMatchObject({ code: "model_invalid" });
    await expect(opened).rejects.toThrow(`Cannot use the model ${FILE}: ${why}`);
  });

  // Its header's length, 640, is a pickle's first two bytes.
  test("but not one that only looks like it", async () => {
    const header = `{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`.padEnd(640);
    const files = bytesFiles({ [FILE]: bytesOf(`\x80\x02\0\0\0\0\0\0${header}`) });
    await expect(openSingleFile(files, FILE)).rejects.toThrow("its names are of no known model: a");
  });
});

describe("a broken file is refused by name", () => {
  const header = (json: string, data: string, length = json.length) =>
    bytesOf(`${String.fromCharCode(length & 255, length >> 8)}\0\0\0\0\0\0${json}${data}`);
  const tensor = (start: number, end: number) =>
    `{"dtype":"F32","shape":[${(end - start) / 4}],"data_offsets":[${start},${end}]}`;
  test.each<[string, Uint8Array, string]>([
    ["empty", new Uint8Array(), "it has 0 bytes"],
    ["cut in its header", header("{}", "", 900), "its header claims 900 bytes"],
    ["a header of 2 GB", bytesOf("\0\0\0\x80\0\0\0\0{}"), "its header claims 2147483648 bytes"],
    ["cut in its weights", header(`{"a":${tensor(0, 8)}}`, "1234"), "a ends at byte 8 of 4"],
    [
      "overlapping",
      header(`{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`, "123456789012"),
      "b claims bytes from 4 on, another's up to 8",
    ],
  ])("%s", async (_, file, why) => {
    const opened = openSingleFile(bytesFiles({ [FILE]: file }), FILE);
    await expect(opened).rejects.toMatchObject({ code: "model_invalid" });
    await expect(opened).rejects.toThrow(why);
  });
});
