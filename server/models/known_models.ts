import catalogueJson from "../../models/catalogue.json" with { type: "json" };
import {
  type Catalogue,
  type CatalogueEntry,
  catalogueEntryOf,
  decodeCatalogue,
} from "../../core/model/mod.ts";

let decoded: Catalogue | undefined;

/** `models/catalogue.json`, decoded at the first call. */
export function knownModels(): Catalogue {
  decoded ??= decodeCatalogue(catalogueJson);
  return decoded;
}

/**
 * The catalogue's entry of a model.
 * @param given as for `parseModelSource`; only `embedded` and ids have an entry.
 */
export function knownEntry(
  given: string,
  catalogue: Catalogue = knownModels(),
): CatalogueEntry | undefined {
  return catalogueEntryOf(given, catalogue);
}
