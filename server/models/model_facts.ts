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
  const hashes = await sha256OfFiles(files, paths, new Map(known));
  return {
    id: files.name,
    manifest: manifestHash(hashes),
    precision: await networkPrecision(files, networks.unet),
    ...(files.variant !== undefined && { variant: files.variant }),
  };
}
