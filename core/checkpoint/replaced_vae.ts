import { AppError } from "../error.ts";
import { type ModelFiles, readJson, viewOf } from "../model/mod.ts";
import { openVaeFile } from "./vae_file.ts";

const CONFIG = "vae/config.json";
/** Where the other VAE's files are seen. */
const PLACE = "vae/other/";

/**
 * A model with another VAE.
 * @param vae the other VAE's files: weights in one file, and `config.json` where there is one; without it
 *   that of the model's own VAE holds.
 * @param path of its weights.
 * @throws AppError `model_invalid` when the file is no VAE, or the model's own is an ONNX file.
 */
export async function replaceVae(
  files: ModelFiles,
  vae: ModelFiles,
  path: string,
): Promise<ModelFiles> {
  if (!files.has(CONFIG)) {
    throw new AppError(
      "model_invalid",
      `Cannot replace the VAE of ${files.name}: it has no ${CONFIG}. Its VAE is an ONNX file: take a ` +
        "model in safetensors",
    );
  }
  const own = await readJson(files, CONFIG);
  const stated = vae.has("config.json") ? await readJson(vae, "config.json") : {};
  const part = await openVaeFile(vae, path, { ...Object(own), ...Object(stated) });
  const tensors = new Map(
    [...part.tensors].map(([name, each]) => [name, { ...each, path: PLACE + each.path }]),
  );
  const config = new TextEncoder().encode(JSON.stringify(part.config));
  return viewOf(files, {
    written: new Map([[CONFIG, config]]),
    mounted: { at: PLACE, files: vae },
    hides: (each) => each.startsWith("vae/"),
    tensors: { ...files.tensors, vae: tensors },
    derived: [...files.derived ?? [], CONFIG],
  });
}
