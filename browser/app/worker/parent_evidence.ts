import { readAtMost } from "../../../core/bounded_body.ts";
import { fileHash } from "../../../core/transcript/mod.ts";
import { lanczos, openUpscaleNetwork, type Upscaler } from "../../../core/upscale/mod.ts";
import { committedFile, type Verification } from "../../../core/verifier/mod.ts";
import type { CheckOrder } from "../api/mod.ts";
import { BlobFiles } from "./blob_files.ts";
import { digest } from "./file_hash.ts";
import { pageRoot } from "./page_root.ts";

/** The network that this page's server has. */
const NETWORK = "models/esrgan-slim-x2/model.safetensors";
const MAX_NETWORK_BYTES = 2 ** 22;

/**
 * What a request goes on from, as far as it is here. Where the parent's image was enlarged, that is done
 * again; by a network that is not at hand it is not, and then not compared.
 */
export async function parentEvidence(
  { receipt: { request: { upscaler } }, parent }: CheckOrder,
): Promise<Verification["parent"]> {
  if (!parent) return undefined;
  const { receipt, image } = parent;
  if (upscaler === undefined || !image) return { receipt };
  const file = committedFile(receipt, new Uint8Array(await image.arrayBuffer()));
  if (fileHash(file) !== receipt.image.sha256) return { receipt };
  const opened = await openUpscaler(String(upscaler));
  return opened ? { receipt, enlarged: { file, upscaler: opened } } : { receipt };
}

/** The one that was opened, by its id. */
let opened: Promise<Upscaler | undefined> | undefined;

async function openUpscaler(id: string): Promise<Upscaler | undefined> {
  if (id === lanczos.id) return lanczos;
  opened ??= openNetwork();
  const network = await opened;
  if (!network) opened = undefined;
  return network?.id === id ? network : undefined;
}

/** @returns undefined where the server does not give it. */
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
