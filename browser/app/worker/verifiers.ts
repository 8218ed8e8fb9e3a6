import { type LatentPreview, type ModelFiles, readJson } from "../../../core/model/mod.ts";
import { openVerifier, type Verifier } from "../../../core/verifier/mod.ts";
import { type TabModel, weightsOf } from "./catalogue.ts";

/** What all checks of one model share. */
export interface OpenedVerifier {
  readonly verifier: Verifier;
  /** What its states are shown by, where the model has it. */
  readonly preview: LatentPreview | undefined;
}

/** Verifiers by model, each made at the first check. */
export class Verifiers {
  readonly #opened = new Map<string, Promise<OpenedVerifier>>();

  /** @throws AppError as `openVerifier`, `cancelled`. */
  open(model: TabModel, signal: AbortSignal): Promise<OpenedVerifier> {
    const key = weightsOf(model);
    const known = this.#opened.get(key);
    if (known) {
      return known.catch(() => {
        // It was cancelled with the run that began it, which is not this one.
        signal.throwIfAborted();
        return this.open(model, signal);
      });
    }
    const opening = openOnce(model);
    this.#opened.set(key, opening);
    opening.catch(() => this.#opened.delete(key));
    return opening;
  }
}

async function openOnce(model: TabModel): Promise<OpenedVerifier> {
  const preview = await previewMap(model.files);
  return { verifier: await openVerifier(model), preview };
}

async function previewMap(files: ModelFiles): Promise<LatentPreview | undefined> {
  const config = await readJson(files, "vae_decoder/config.json").catch(() => undefined);
  return (config as { latent_preview?: LatentPreview } | undefined)?.latent_preview;
}
