import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { AppError } from "../../../core/error.ts";
import {
  type CatalogueEntry,
  catalogueEntryOf,
  decodeCatalogue,
} from "../../../core/inference/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { OwnModel } from "../../../core/verify/mod.ts";
import { CachedFiles } from "./cached_files.ts";

const catalogue = decodeCatalogue(catalogueJson);

/** A model of the catalogue, with weights that are fetched when they are needed. */
export interface KnownModel extends OwnModel {
  readonly entry: CatalogueEntry;
  readonly files: CachedFiles;
}

/** @throws AppError `model_not_found`: a receipt may name anything. */
export function modelOf({ id, variant }: Pick<Receipt["model"], "id" | "variant">): KnownModel {
  const entry = catalogue.models.find((each) => each.id === id);
  const weights = entry?.weights?.find((each) => each.variant === variant);
  if (!entry || !weights || entry.source !== "embedded") {
    throw new AppError(
      "model_not_found",
      `Cannot check in this tab: it does not have the model ${id}${
        variant ? ` (${variant})` : ""
      }; ` +
        "deno task verify takes any model",
    );
  }
  return {
    entry,
    files: new CachedFiles(entry, variant),
    facts: { id, ...weights },
    tolerances: entry.tolerances ?? [],
  };
}

/** What the tab draws with. */
export function ownModel(): KnownModel {
  const id = catalogueEntryOf("embedded", catalogue)?.id ?? "";
  return modelOf({ id });
}
