import {
  type CatalogueEntry,
  type Hasher,
  hashFiles,
  type ModelFacts,
  type ModelFiles,
  networkPrecision,
  ownControlPaths,
  readLayout,
} from "../model/mod.ts";
import { manifestHash } from "../transcript/mod.ts";

/**
 * What a receipt states of a model, from its files.
 * @param entry where the model is known: SHA-256 that it has are taken from it, other files are
 * read and hashed.
 * @throws AppError `model_invalid`, and what reading throws.
 */
export async function modelFacts(
  files: ModelFiles,
  entry: CatalogueEntry | undefined,
  sha256: () => Hasher,
): Promise<ModelFacts> {
  const layout = await readLayout(files);
  const paths = layout.paths.filter((path) => !files.derived?.includes(path));
  const known = Object.fromEntries(
    Object.entries(entry?.files ?? {}).map(([path, file]) => [path, file.sha256]),
  );
  const found = await hashFiles(files, { paths, known, sha256 });
  const control = await hashFiles(files, { paths: await ownControlPaths(files), known, sha256 });
  return {
    id: files.name,
    manifest: manifestHash(files.derived ? underOneName(found) : found),
    precision: await networkPrecision(files, layout.denoiser),
    ...(files.variant !== undefined && { variant: files.variant }),
    ...(Object.keys(control).length > 0 && { control: manifestHash(control) }),
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
