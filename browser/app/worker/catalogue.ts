import catalogueJson from "../../../models/catalogue.json" with { type: "json" };
import { AppError } from "../../../core/error.ts";
import { type CatalogueEntry, catalogueEntryOf, decodeCatalogue } from "../../../core/model/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { OwnModel } from "../../../core/verifier/mod.ts";
import { CachedFiles } from "./cached_files.ts";

const catalogue = decodeCatalogue(catalogueJson);

/** A model of the catalogue, with weights that are fetched when they are needed. */
export interface KnownModel extends OwnModel {
  readonly entry: CatalogueEntry;
  readonly files: CachedFiles;
}

/** The model of a receipt, which may name anything; undefined where this tab does not have it. */
export function modelOf(
  { id, variant }: Pick<Receipt["model"], "id" | "variant">,
): KnownModel | undefined {
  const entry = catalogue.models.find((each) => each.id === id);
  const weights = entry?.weights?.find((each) => each.variant === variant);
  if (!entry || !weights || entry.source !== "embedded") return undefined;
  return {
    entry,
    files: new CachedFiles(entry, variant),
    facts: { id, ...weights },
    tolerances: entry.tolerances ?? [],
  };
}

/** What the tab draws with. @throws AppError `model_not_found`. */
export function ownModel(): KnownModel {
  const model = modelOf({ id: catalogueEntryOf("embedded", catalogue)?.id ?? "" });
  if (model) return model;
  throw new AppError("model_not_found", "Cannot make an image: the catalogue embeds no model");
}
