/**
 * Writes the sizes and SHA-256 of the embedded models' files into `models/catalogue.json`:
 * `deno run -A models/write_catalogue.ts`.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Catalogue,
  type CatalogueEntry,
  decodeCatalogue,
  type ModelFiles,
  networkPrecision,
  readLayout,
} from "../core/model/mod.ts";
import { manifestHash } from "../core/transcript/mod.ts";

const MODELS = import.meta.dirname ?? "models";
const CATALOGUE = join(MODELS, "catalogue.json");

/** The catalogue with the embedded models' files as they are on disk. */
export async function measuredCatalogue(): Promise<Catalogue> {
  const { models } = decodeCatalogue(JSON.parse(await readFile(CATALOGUE, "utf8")));
  return { models: await Promise.all(models.map(measured)) };
}

async function measured(entry: CatalogueEntry): Promise<CatalogueEntry> {
  if (entry.source !== "embedded") return entry;
  const files: CatalogueEntry["files"] = {};
  for (const path of (await filesIn(join(MODELS, entry.id))).sort()) {
    const bytes = await readFile(join(MODELS, entry.id, path));
    files[path] = {
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
  }
  const variants = [undefined, ...entry.variants ?? []];
  return {
    ...entry,
    files,
    weights: await Promise.all(variants.map((v) => factsOf(entry, files, v))),
  };
}

/** What a receipt states of a set of weights. */
async function factsOf(
  { id }: CatalogueEntry,
  known: CatalogueEntry["files"],
  variant: string | undefined,
): Promise<NonNullable<CatalogueEntry["weights"]>[number]> {
  const files = folderOf(id, known, variant);
  const { paths, denoiser } = await readLayout(files);
  const hashes = Object.fromEntries(paths.map((path) => [path, known[path].sha256]));
  return {
    ...(variant !== undefined && { variant }),
    precision: await networkPrecision(files, denoiser),
    manifest: manifestHash(hashes),
  };
}

function folderOf(id: string, known: CatalogueEntry["files"], variant?: string): ModelFiles {
  const read = async (path: string) => new Uint8Array(await readFile(join(MODELS, id, path)));
  return {
    ...{ name: id, location: join(MODELS, id), variant, paths: Object.keys(known) },
    has: (path) => Object.hasOwn(known, path),
    size: (path) => known[path].size,
    text: async (path) => new TextDecoder().decode(await read(path)),
    bytes: async (path, range) => (await read(path)).slice(range?.start, range?.end),
  };
}

async function filesIn(folder: string, under = ""): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
    const { name } = entry;
    if (entry.isDirectory()) paths.push(...await filesIn(folder, `${under}${name}/`));
    else paths.push(`${under}${name}`);
  }
  return paths;
}

if (import.meta.main) {
  await writeFile(CATALOGUE, `${JSON.stringify(await measuredCatalogue(), null, 2)}\n`);
}
