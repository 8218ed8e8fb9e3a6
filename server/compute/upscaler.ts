import { join } from "node:path";
import { AppError } from "../../core/error.ts";
import { hashFiles } from "../../core/model/mod.ts";
import { lanczos, openUpscaleNetwork, type Upscaler } from "../../core/upscale/mod.ts";
import { openLone } from "../models/mod.ts";
import { sha256 } from "../storage/mod.ts";
import { cpuRuntime } from "./cpu.ts";

const EMBEDDED = "esrgan-slim-x2";
const EMBEDDED_FOLDER = join(import.meta.dirname ?? ".", "../../models", EMBEDDED);
const WEIGHTS = "model.safetensors";

/**
 * What enlarges images. Networks compute on the CPU, where the same image gets the same pixels.
 * @param given of `--upscaler`: `lanczos`, `esrgan-slim-x2`, or a network: a file, a folder,
 * `hf:owner/name/file` or an address; or as a request names one.
 * @throws AppError `invalid_request` for a network that is named by its hash and not at hand;
 * `model_not_found`, `model_invalid`.
 */
export async function openUpscaler(given: string = lanczos.id): Promise<Upscaler> {
  if (given === lanczos.id) return lanczos;
  const named = /^[0-9a-f]{64}$/.test(given);
  const upscaler = await openNetwork(named || given === EMBEDDED ? EMBEDDED_FOLDER : given);
  if (!named || upscaler.id === given) return upscaler;
  throw new AppError(
    "invalid_request",
    `Cannot enlarge: the upscaler ${given} is not the embedded one: give its file with --upscaler`,
    { field: "upscaler" },
  );
}

async function openNetwork(source: string): Promise<Upscaler> {
  const files = await openLone(source, WEIGHTS);
  const [path] = files.paths;
  const [hash] = Object.values(await hashFiles(files, { paths: [path], sha256 }));
  const name = source === EMBEDDED_FOLDER ? EMBEDDED : source;
  return await openUpscaleNetwork(await cpuRuntime(), { files, path, sha256: hash, name });
}
