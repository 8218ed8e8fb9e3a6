import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Tolerance } from "../../core/model/mod.ts";
import { writeAtomically } from "../storage/mod.ts";

const MODELS = join(import.meta.dirname ?? ".", "../../models");

/** Puts the tolerances into a model's catalogue entry. */
export async function writeTolerances(
  id: string,
  tolerances: readonly Tolerance[],
): Promise<void> {
  const path = join(MODELS, "catalogue.json");
  const catalogue = JSON.parse(await readFile(path, "utf8"));
  for (const entry of catalogue.models) {
    if (entry.id === id) entry.tolerances = tolerances;
  }
  await writeJson(path, catalogue);
}

/**
 * Writes one part of the measurements, those fitted to or those checked since, next to the model.
 * Fitting again drops what was checked before.
 * @returns the measurements's path.
 */
export async function writeMeasurements(
  id: string,
  part: { readonly fitted: unknown } | { readonly checked: unknown },
): Promise<string> {
  const path = join(MODELS, `${id}-calibration.json`);
  const kept = "checked" in part ? JSON.parse(await readFile(path, "utf8")) : {};
  await writeJson(path, { ...kept, ...part });
  return path;
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeAtomically(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
}
