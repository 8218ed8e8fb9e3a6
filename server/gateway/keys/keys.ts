import { AppError } from "../../../core/error.ts";
import { RateLimit } from "../../http/mod.ts";
import type { ApiKey, GatewayStore } from "../store/mod.ts";
import type { KeyFile } from "./key_file.ts";
import { bearerOf, hashOfKey } from "./key_text.ts";

interface KeysParts {
  readonly store: Pick<GatewayStore, "keys">;
  /** That is looked at before each use. */
  readonly file: Pick<KeyFile, "look">;
  /** Of a key that has no limit of its own. */
  readonly requestsPerMinute: number;
}

const MINUTE_MS = 60_000;

/** Who may ask, and how often: keys are looked up at each use, so that changes count at once. */
export class Keys {
  readonly #parts: KeysParts;
  readonly #rate: RateLimit;

  constructor(parts: KeysParts) {
    this.#parts = parts;
    this.#rate = new RateLimit("generate", parts.requestsPerMinute, MINUTE_MS);
  }

  /** @param text the key itself. @returns undefined for one that is unknown, revoked or expired. */
  find(text: string): ApiKey | undefined {
    const { file, store } = this.#parts;
    file.look();
    return store.keys.ofHash(hashOfKey(text));
  }

  /** A key as it was admitted before; one that is no longer known has no limits of its own. */
  byId(id: string): ApiKey {
    return this.#parts.store.keys.byId(id) ?? { id, name: id, limits: {} };
  }

  /**
   * The key of a request's header `authorization`.
   * @throws AppError `request_unsigned` without one, `not_allowed` for one that is not taken.
   */
  admit(authorization: string | null | undefined): ApiKey {
    const text = bearerOf(authorization);
    if (text === undefined) {
      throw new AppError(
        "request_unsigned",
        "Cannot generate: there is no API key (authorization: Bearer ...), nor a signature",
      );
    }
    const key = this.find(text);
    if (key) return key;
    throw new AppError(
      "not_allowed",
      "Cannot generate: the API key is not one of this validator's",
    );
  }

  /** Counts a request that would make something. @throws RetryLater `rate_limited`. */
  take({ id, limits }: ApiKey): void {
    this.#rate.take(id, limits.requestsPerMinute);
  }

  /** @throws AppError `not_allowed` for a model that is not among the key's. */
  checkModel({ limits: { models } }: ApiKey, model: string): void {
    if (!models || models.includes(model)) return;
    throw new AppError(
      "not_allowed",
      `Cannot generate: model is ${model}, and this API key is for ${models.join(", ")} alone`,
      { field: "model" },
    );
  }
}
