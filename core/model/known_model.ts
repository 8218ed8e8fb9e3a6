import type { CatalogueEntry } from "./catalogue.ts";
import type { ModelFiles } from "./model_files.ts";
import { decodeTolerances, type Tolerance } from "./tolerance.ts";

/** What a receipt states of a model. */
export interface ModelFacts {
  readonly id: string;
  /** `manifestHash` of the files that are used. */
  readonly manifest: string;
  /** Of the network's arithmetic. */
  readonly precision: Tolerance["precision"];
  /** Which weights, in diffusers' naming, where the folder has several. */
  readonly variant?: string;
  /** `manifestHash` of its own ControlNet, where it has one: stated where a request uses that. */
  readonly control?: string;
}

/** A model with all that is known of it: made where it is opened, and handed on. */
export interface KnownModel<Files extends ModelFiles = ModelFiles> {
  readonly files: Files;
  /** undefined for a model that is not in the catalogue. */
  readonly entry: CatalogueEntry | undefined;
  /** Of its catalogue entry; empty where it was not calibrated. */
  readonly tolerances: readonly Tolerance[];
  /** What its catalogue entry says that a request is run with; it overrides the model's own. */
  readonly defaults: Partial<CatalogueEntry["defaults"]>;
  /**
   * Computed at the first call and kept: of a model that is not in the catalogue each file is
   * hashed, gigabytes of them.
   * @throws AppError `model_invalid`, `storage_failed`.
   */
  readonly facts: () => Promise<ModelFacts>;
}

/**
 * @param findFacts called once at most, unless it fails.
 * @throws AppError `invalid_config` for a catalogue entry whose tolerances are none.
 */
export function knownModel<Files extends ModelFiles>(
  files: Files,
  entry: CatalogueEntry | undefined,
  findFacts: () => Promise<ModelFacts>,
): KnownModel<Files> {
  let facts: Promise<ModelFacts> | undefined;
  return {
    ...{ files, entry, defaults: entry?.defaults ?? {} },
    tolerances: decodeTolerances(entry?.tolerances ?? []),
    facts: () => {
      facts ??= findFacts().catch((error) => {
        facts = undefined;
        throw error;
      });
      return facts;
    },
  };
}
