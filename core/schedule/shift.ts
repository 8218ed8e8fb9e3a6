import { refuse, type ShiftSettings } from "./config.ts";
import { exp } from "./portable_math.ts";

/** Shifts of flow sigmas towards noise. @see https://arxiv.org/abs/2403.03206, section 5.3.2. */

/**
 * @param shift Used when the shift does not depend on the image's size.
 * @param sigmas In (0, 1].
 * @param mu The shift for the image's size, where `use_dynamic_shifting` asks for it.
 * @throws AppError `unsupported_setting` when it asks and there is none.
 */
export function shiftedSigmas(
  settings: ShiftSettings,
  shift: number,
  sigmas: readonly number[],
  mu: number | undefined,
): number[] {
  if (!settings.use_dynamic_shifting) {
    return sigmas.map((sigma) => shift * sigma / (1 + (shift - 1) * sigma));
  }
  if (mu === undefined) {
    const why = "which needs mu, the shift for the image's size; pass mu or set it to false";
    refuse("unsupported_setting", "use_dynamic_shifting", true, why);
  }
  const weight = settings.time_shift_type === "exponential" ? exp(mu) : mu;
  return sigmas.map((sigma) => weight / (weight + (1 / sigma - 1)));
}

/** Stretches the sigmas so that the last is `terminal`; none, or 0, leaves them. */
export function stretchedToTerminal(
  sigmas: readonly number[],
  terminal: number | undefined,
): number[] {
  const signal = 1 - sigmas[sigmas.length - 1];
  // One step at sigma = 1 has nothing to stretch.
  if (!terminal || signal === 0) return [...sigmas];
  const scale = signal / (1 - terminal);
  return sigmas.map((sigma) => 1 - (1 - sigma) / scale);
}
