import {
  type CatalogueEntry,
  type ModelFacts,
  type ModelFiles,
  networkPrecision,
  readLayout,
} from "../../core/model/mod.ts";
import { manifestHash } from "../../core/transcript/mod.ts";
import { sha256OfFiles } from "../storage/mod.ts";

/**
 * What a receipt states of a model, from its folder.
 * @param entry where the model is known: SHA-256 that it has are taken from it, other files are
 * hashed.
 * @throws AppError `model_invalid`, `storage_failed`.
 */
export async function modelFacts(
  files: ModelFiles,
  entry: CatalogueEntry | undefined,
): Promise<ModelFacts> {
  const { paths, networks } = await readLayout(files);
  const known = Object.entries(entry?.files ?? {}).map(([path, { sha256 }]) =>
    [path, sha256] as const
  );
  const facts = paths.filter((path) => !files.derived?.includes(path));
  const found = await sha256OfFiles(files, facts, new Map(known));
  const hashes = files.derived ? underOneName(found) : found;
  return {
    id: files.name,
    manifest: manifestHash(hashes),
    precision: await networkPrecision(files, networks.unet),
    ...(files.variant !== undefined && { variant: files.variant }),
  };
}

/** A checkpoint in one file is the same under any name. */
function underOneName(hashes: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(hashes).map(([path, hash]) => [
      /^[^/]+\.(?:safetensors|sft)$/.test(path) ? "model.safetensors" : path,
      hash,
    ]),
  );
}
