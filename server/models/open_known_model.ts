import { type KnownModel, knownModel } from "../../core/model/mod.ts";
import { modelFacts } from "../../core/prover/mod.ts";
import { sha256 } from "../storage/mod.ts";
import { knownEntry } from "./known_models.ts";
import { openModel } from "./open_model.ts";
import type { OpenModelOptions } from "./opening.ts";

/**
 * Opens a model with all that is known of it.
 * @param given as for {@link openModel}.
 * @throws AppError as {@link openModel}; `invalid_config` for tolerances that are none.
 */
export async function openKnownModel(
  given: string,
  options: OpenModelOptions = {},
): Promise<KnownModel> {
  const entry = knownEntry(given, options.catalogue);
  const files = await openModel(given, options);
  return knownModel(files, entry, () => modelFacts(files, entry, sha256));
}
