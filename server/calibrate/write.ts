import { join } from "node:path";
import type { Tolerance } from "../../core/verification/mod.ts";
import { writeAtomically } from "../storage/mod.ts";

const MODELS = join(import.meta.dirname ?? ".", "../../models");

/**
 * Puts the tolerances into a model's catalogue entry, and their evidence into the model's folder.
 * @returns the evidence's path.
 */
export async function writeTolerances(
  id: string,
  tolerances: readonly Tolerance[],
  evidence: Readonly<Record<string, unknown>>,
): Promise<string> {
  const path = join(MODELS, "catalogue.json");
  const catalogue = JSON.parse(await Deno.readTextFile(path));
  for (const entry of catalogue.models) {
    if (entry.id === id) entry.tolerances = tolerances;
  }
  await writeJson(path, catalogue);
  const beside = join(MODELS, `${id}-calibration.json`);
  await writeJson(beside, evidence);
  return beside;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeAtomically(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
}
