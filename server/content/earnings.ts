import { sharesOf, type Spread, viralityOf } from "../../core/content/mod.ts";
import type { Virality } from "../virality/mod.ts";
import type { Publications } from "./publications.ts";

/** Who earned which part at one moment. */
export interface EarnedShares {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** By falling share; of all that was earned, in 10^9ths. */
  readonly creators: readonly { readonly creator: string; readonly share: number }[];
}

interface EarningsParts {
  readonly publications: Pick<Publications, "spreading">;
  readonly virality: Pick<Virality, "spread">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What creators earn by what is published and what spreads. */
export class Earnings {
  readonly #parts: EarningsParts;

  constructor(parts: EarningsParts) {
    this.#parts = parts;
  }

  /** What it follows from. */
  spread(): Spread & { readonly at: number } {
    const { publications, virality, now } = this.#parts;
    return { ...virality.spread(publications.spreading()), at: now() };
  }

  now(): EarnedShares {
    const { at, ...spread } = this.spread();
    const shares = sharesOf(viralityOf(spread, at).creators);
    return { at, creators: shares.map(([creator, share]) => ({ creator, share: Number(share) })) };
  }
}
