import type { Picture } from "./api.ts";

/** Differences in units of the tolerance, on a logarithmic scale: from this, shown as nothing, ... */
export const MIN_HEAT = 1e-3;
/** ... to this, which is shown brightest. The tolerance itself is in the middle. */
export const MAX_HEAT = 1e3;

/** Dark violet, red, yellow: told apart without red and green, and as greys. */
const RAMP = [[20, 12, 50], [120, 28, 109], [237, 105, 37], [252, 255, 164]] as const;

/** @param difference in units of the tolerance; NaN counts as the largest. */
export function heatColour(difference: number): number[] {
  const decades = Math.log10(MAX_HEAT / MIN_HEAT);
  const share = Math.log10(Math.max(difference, MIN_HEAT) / MIN_HEAT) / decades;
  const place = (share <= 1 ? share : 1) * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(place));
  return [0, 1, 2].map((k) => RAMP[low][k] + (place - low) * (RAMP[low + 1][k] - RAMP[low][k]));
}

/** The scale from left to right. */
export function heatScale(width: number): Picture {
  const data = new Uint8ClampedArray(4 * width);
  for (let i = 0; i < width; i++) {
    const difference = MIN_HEAT * (MAX_HEAT / MIN_HEAT) ** (i / (width - 1));
    data.set([...heatColour(difference), 255], 4 * i);
  }
  return { width, height: 1, data };
}
