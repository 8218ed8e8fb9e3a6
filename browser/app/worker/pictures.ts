import type { LatentPreview } from "../../../core/model/mod.ts";
import { previewLatent } from "../../../core/image/mod.ts";
import { fromHalf } from "../../../core/half.ts";
import { heatColour, type Picture } from "../api/mod.ts";

type Shape = readonly [channels: number, height: number, width: number];

/** A latent as the model sees it; undefined for models without such a map. */
export function pictureOf(
  map: LatentPreview | undefined,
  bits: Uint16Array,
  [, height, width]: Shape,
): Picture | undefined {
  return map && previewLatent(map, fromHalf(Uint16Array.from(bits)), width, height);
}

/** Two predictions of one step, as float16 bits: u16[channels, height, width]. */
export interface Predictions {
  readonly theirs: Uint16Array;
  readonly ours: Uint16Array;
  /** x_i, and how much of it is the image's. */
  readonly state: Uint16Array;
  readonly alpha: number;
}

/**
 * Where two predictions differ, position by position, in units of what an honest machine may have:
 * rms of D - D' over the channels, over `tolerance` times the rms of alpha x - D', since the
 * velocity is (alpha x - D) / sigma and the tolerance is of its error relative to it.
 */
export function differenceOf(
  predictions: Predictions,
  [channels, height, width]: Shape,
  tolerance: number,
): Picture {
  const [theirs, ours, state] = [predictions.theirs, predictions.ours, predictions.state]
    .map((bits) => fromHalf(Uint16Array.from(bits)));
  const squares = ours.reduce((sum, d, i) => sum + (predictions.alpha * state[i] - d) ** 2, 0);
  const allowed = tolerance * Math.sqrt(squares / ours.length);
  const pixels = height * width;
  const data = new Uint8ClampedArray(4 * pixels);
  for (let i = 0; i < pixels; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += (theirs[c * pixels + i] - ours[c * pixels + i]) ** 2;
    data.set([...heatColour(Math.sqrt(sum / channels) / allowed), 255], 4 * i);
  }
  return { width, height, data };
}
