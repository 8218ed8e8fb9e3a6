/**
 * Writes the sizes and SHA-256 of the embedded models' files into `models/catalogue.json`:
 * `deno run -A models/write_catalogue.ts`.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Catalogue, type CatalogueEntry, decodeCatalogue } from "../core/inference/mod.ts";

const MODELS = import.meta.dirname ?? "models";
const CATALOGUE = join(MODELS, "catalogue.json");

/** The catalogue with the embedded models' files as they are on disk. */
export async function measuredCatalogue(): Promise<Catalogue> {
  const { models } = decodeCatalogue(JSON.parse(await Deno.readTextFile(CATALOGUE)));
  return { models: await Promise.all(models.map(measured)) };
}

async function measured(entry: CatalogueEntry): Promise<CatalogueEntry> {
  if (entry.source !== "embedded") return entry;
  const files: CatalogueEntry["files"] = {};
  for (const path of (await filesIn(join(MODELS, entry.id))).sort()) {
    const bytes = await Deno.readFile(join(MODELS, entry.id, path));
    files[path] = {
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
  }
  return { ...entry, files };
}

async function filesIn(folder: string, under = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, under))) {
    if (isDirectory) paths.push(...await filesIn(folder, `${under}${name}/`));
    else paths.push(`${under}${name}`);
  }
  return paths;
}

if (import.meta.main) {
  await Deno.writeTextFile(CATALOGUE, `${JSON.stringify(await measuredCatalogue(), null, 2)}\n`);
}
