import { readAtMost } from "../../../core/bounded_body.ts";
import { lanczos, openUpscaleNetwork, type Upscaler } from "../../../core/upscale/mod.ts";
import { BlobFiles } from "./blob_files.ts";
import { digest } from "./file_hash.ts";
import { pageRoot } from "./page_root.ts";

/** The network that this page's server has. */
const NETWORK = "models/esrgan-slim-x2/model.safetensors";
const MAX_NETWORK_BYTES = 2 ** 22;

/** The one that was opened. */
let opened: Promise<Upscaler | undefined> | undefined;

/** @returns undefined for one that is not at hand. */
export async function openUpscaler(id: string): Promise<Upscaler | undefined> {
  if (id === lanczos.id) return lanczos;
  const network = await pageNetwork();
  return network?.id === id ? network : undefined;
}

/** The network of this page's server. @returns undefined where that does not give it. */
export async function pageNetwork(): Promise<Upscaler | undefined> {
  opened ??= openNetwork();
  const network = await opened;
  if (!network) opened = undefined;
  return network;
}

async function openNetwork(): Promise<Upscaler | undefined> {
  const response = await fetch(new URL(NETWORK, pageRoot())).catch(() => undefined);
  const bytes = response?.ok ? await readAtMost(response, MAX_NETWORK_BYTES) : undefined;
  if (!bytes) return undefined;
  // On the CPU, where the same image gets the same pixels.
  const { wasmRuntime } = await import("../../engine/mod.ts");
  const path = "model.safetensors";
  const files = new BlobFiles(path, new Blob([bytes]));
  return await openUpscaleNetwork(await wasmRuntime(), {
    files,
    path,
    sha256: await digest(bytes),
    name: path,
  });
}
