import { join } from "node:path";

/** The folder of the encoders that say how well a picture fits its prompt. */
export const RELEVANCE = join(import.meta.dirname ?? ".", "../../models/relevance");
/** The model whose pictures the encoders of {@link RELEVANCE} judge. */
export const RELEVANCE_MODEL = "tau-tiny";
