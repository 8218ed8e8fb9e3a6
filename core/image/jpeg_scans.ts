import { NotCanonical } from "./not_canonical.ts";

const COMPONENTS = 3;
const COEFFICIENTS = 64;
/** A coefficient of which no scan has told anything. */
const UNKNOWN = -1;

/**
 * What the scans of a frame have told of its coefficients. Each scan must tell something new, in the
 * order that the standard wants: of one which does not, decoders make different pictures.
 * @see ITU-T T.81, annex G
 */
export class JpegScans {
  /** i8[component, coefficient]: the lowest bit that is known, or `UNKNOWN`. */
  readonly #bits = new Int8Array(COMPONENTS * COEFFICIENTS).fill(UNKNOWN);
  readonly #progressive: boolean;

  constructor(progressive: boolean) {
    this.#progressive = progressive;
  }

  get complete(): boolean {
    return this.#bits.every((bit) => bit === 0);
  }

  /** @param body of SOS. @throws NotCanonical */
  add(body: Uint8Array): void {
    const count = body[0];
    if (body.length !== 4 + 2 * count) throw new NotCanonical("a scan's header has another length");
    const ids = Array.from({ length: count }, (_, k) => body[1 + 2 * k]);
    const [first, last, approximation] = body.subarray(1 + 2 * count);
    const [before, bit] = [approximation >> 4, approximation & 15];
    this.#checkOrder(ids, first, last);
    for (const id of ids) {
      for (let k = first; k <= last; k++) this.#tell((id - 1) * COEFFICIENTS + k, before, bit);
    }
  }

  /** @throws NotCanonical for a scan that no frame of this kind has. */
  #checkOrder(ids: readonly number[], first: number, last: number): void {
    const ascending = ids.every((id, k) => id > (k ? ids[k - 1] : 0) && id <= COMPONENTS);
    const whole = first === 0 && last === COEFFICIENTS - 1;
    const spectral = first === 0
      ? last === 0
      : first <= last && last < COEFFICIENTS && ids.length === 1 &&
        this.#bits[(ids[0] - 1) * COEFFICIENTS] !== UNKNOWN;
    if (ids.length > 0 && ascending && (this.#progressive ? spectral : whole)) return;
    throw new NotCanonical(`it has a scan of ${first} to ${last} of the components ${ids.join()}`);
  }

  #tell(at: number, before: number, bit: number): void {
    const follows = before === 0 ? UNKNOWN : before;
    const next = before === 0 ? bit : before - 1;
    if (this.#bits[at] !== follows || bit !== next || !this.#progressive && bit !== 0) {
      throw new NotCanonical("a scan tells of coefficients again");
    }
    this.#bits[at] = bit;
  }
}
