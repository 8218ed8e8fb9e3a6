import { AppError } from "../error.ts";
import { type ModelFiles, readJson, readLayout, viewOf } from "../model/mod.ts";
import type { IndexedTensor, WeightDelta } from "../safetensors/mod.ts";
import { readLora } from "./lora_file.ts";
import { type BaseParts, type Deltas, matchLora } from "./match_lora.ts";

/** An adapter's file. */
export interface Adapter {
  /** With the one file. */
  readonly files: ModelFiles;
  /** Of the file, lower-case hex. */
  readonly sha256: string;
}

/**
 * A model whose weights an adapter more can change; each request says how far.
 * @throws AppError `model_invalid` when the file is no LoRA, one for another model, or there already,
 * `unsupported_setting` for a model whose LoRAs are not built.
 */
export async function adaptFiles(files: ModelFiles, adapter: Adapter): Promise<ModelFiles> {
  const { sha256 } = adapter;
  const [path] = adapter.files.paths;
  const before = files.adapters ?? [];
  if (before.some((each) => each.sha256 === sha256)) throw givenTwice(adapter);
  const parts = await baseParts(files);
  const lora = await readLora(adapter.files, path);
  const at = `adapters/${before.length}/`;
  const deltas = placed(matchLora(lora, parts, adapter.files.name), at);
  return viewOf(files, {
    mounted: { at, files: adapter.files },
    derived: [...files.derived ?? [], at + path],
    adapters: [...before, { sha256, name: basename(path), deltas }],
  });
}

function givenTwice({ files: { name }, sha256 }: Adapter): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use ${name}: its bytes (SHA-256 ${
      sha256.slice(0, 12)
    }...) were given before under another ` +
      "name. Give each LoRA once",
  );
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

async function baseParts(files: ModelFiles): Promise<BaseParts> {
  const { networks } = await readLayout(files);
  if (networks.transformer) {
    throw new AppError(
      "unsupported_setting",
      `Cannot use a LoRA with ${files.name}: LoRAs of transformers are not built. Take a model of Stable ` +
        "Diffusion 1.x, 2.x or SDXL",
    );
  }
  const parts: Record<string, { tensors: BaseTensors; config: unknown }> = {};
  for (const part of ["unet", "text_encoder", "text_encoder_2"]) {
    const network = networks[part];
    if (!network) continue;
    if ("graph" in network) {
      throw new AppError(
        "model_invalid",
        `Cannot use a LoRA with ${files.name}: its ${part} is an ONNX file, which has lost the names of ` +
          "the weights. Take the model in safetensors",
      );
    }
    parts[part] = { tensors: network.tensors, config: await readJson(files, network.config) };
  }
  return parts;
}

type BaseTensors = NonNullable<BaseParts["unet"]>["tensors"];

/** The same tensors under the paths at which the model's files have them. */
function placed(deltas: Deltas, at: string): Deltas {
  const moved = (tensor: IndexedTensor) => ({ ...tensor, path: at + tensor.path });
  const movedDelta = ({ down, up, mid, scale }: WeightDelta): WeightDelta => ({
    ...{ down: moved(down), up: moved(up), scale },
    ...mid && { mid: moved(mid) },
  });
  return Object.fromEntries(
    Object.entries(deltas).map(([part, weights]) => [
      part,
      Object.fromEntries(Object.entries(weights).map(([name, delta]) => [name, movedDelta(delta)])),
    ]),
  );
}
