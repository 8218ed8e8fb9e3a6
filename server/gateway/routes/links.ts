import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "../../../core/error.ts";
import { pathOf, PATHS } from "../../../core/protocol/mod.ts";

/** Milliseconds for which a link opens. */
const LIFETIME_MS = 24 * 3600 * 1000;

/** Links to images, which open without a key until they expire. */
export class Links {
  readonly #secret: Uint8Array;
  readonly #clock: () => number;

  /** @param clock milliseconds since 1970. */
  constructor(secret: Uint8Array, clock: () => number) {
    this.#secret = secret;
    this.#clock = clock;
  }

  /** The path of an image, with what opens it. */
  to(job: string, n: number): string {
    const expires = Math.ceil((this.#clock() + LIFETIME_MS) / 1000);
    const path = pathOf(PATHS.jobImage, { id: job, n });
    return `${path}?expires=${expires}&signature=${this.#sign(job, n, String(expires))}`;
  }

  /** @throws AppError `not_allowed` for a link that is another's, or has expired. */
  check(job: string, n: number, expires: string, signature: string): void {
    const [given, right] = [signature, this.#sign(job, n, expires)].map((text) =>
      new TextEncoder().encode(text)
    );
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      throw new AppError("not_allowed", "Cannot give the image: its link is not whole");
    }
    if (Number(expires) * 1000 < this.#clock()) {
      throw new AppError(
        "not_allowed",
        "Cannot give the image: its link has expired; the job has a new one",
      );
    }
  }

  #sign(job: string, n: number, expires: string): string {
    return createHmac("sha256", this.#secret).update(`image\n${job}\n${n}\n${expires}`)
      .digest("base64url");
  }
}
