import type { Once } from "../cluster/mod.ts";

interface TurnParts {
  /** A table whose values are kept for {@link TURN_SECONDS}. */
  readonly once: Once;
  /** SS58 of the validator. */
  readonly of: string;
  /** Makes the ledger know all that every process did. */
  readonly current: () => Promise<void>;
}

/** In which weights are set by one process, and by nobody else. */
export interface WeightsTurn extends AsyncDisposable {
  /** Whether it still is. */
  readonly held: () => boolean;
}

/** Seconds after which the turn of a process that is dead is over. */
export const TURN_SECONDS = 60;
const BEAT_MS = 10_000;
/** Milliseconds before others may take their turn. */
const MARGIN_MS = 20_000;

/**
 * Takes the turn to set weights. The ledger has then what was set before.
 * @returns undefined where another has it.
 */
export async function takeTurn(
  { once, of, current }: TurnParts,
): Promise<WeightsTurn | undefined> {
  const [key, id] = [`weights_${of}`, crypto.randomUUID()];
  let heard = performance.now();
  if (!await once.claim(key, id)) return undefined;
  const timer = setInterval(async () => {
    const asked = performance.now();
    if (await once.renew(key, id).catch(() => false)) heard = asked;
  }, BEAT_MS);
  const turn: WeightsTurn = {
    held: () => performance.now() < heard + 1000 * TURN_SECONDS - MARGIN_MS,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      // Whoever is next knows what was set.
      await current().catch(() => {});
      await once.release(key, id);
    },
  };
  try {
    await current();
    return turn;
  } catch (error) {
    await turn[Symbol.asyncDispose]();
    throw error;
  }
}
