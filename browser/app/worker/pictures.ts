import type { LatentPreview } from "../../../core/inference/mod.ts";
import { previewLatent } from "../../../core/generation/mod.ts";
import { fromHalf } from "../../../core/half.ts";
import type { Picture } from "../api.ts";

type Shape = readonly [channels: number, height: number, width: number];

/** A latent as the model sees it; undefined for models without such a map. */
export function pictureOf(
  map: LatentPreview | undefined,
  bits: Uint16Array,
  [, height, width]: Shape,
): Picture | undefined {
  return map && previewLatent(map, fromHalf(Uint16Array.from(bits)), width, height);
}

/** Colours from nothing to much: dark violet, red, yellow. */
const RAMP = [[20, 12, 50], [120, 28, 109], [237, 105, 37], [252, 255, 164]] as const;

/**
 * Where two predictions differ, position by position.
 * @param full the difference that is shown brightest.
 */
export function differenceOf(
  theirs: Uint16Array,
  ours: Uint16Array,
  [channels, height, width]: Shape,
  full: number,
): Picture {
  const [a, b] = [theirs, ours].map((bits) => fromHalf(Uint16Array.from(bits)));
  const pixels = height * width;
  const data = new Uint8ClampedArray(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += (a[c * pixels + i] - b[c * pixels + i]) ** 2;
    const share = Math.min(1, Math.sqrt(sum / channels) / full);
    data.set([...colourAt(share), 255], 4 * i);
  }
  return { width, height, data };
}

function colourAt(share: number): number[] {
  const place = share * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(place));
  return [0, 1, 2].map((k) => RAMP[low][k] + (place - low) * (RAMP[low + 1][k] - RAMP[low][k]));
}
