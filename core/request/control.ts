import { z } from "zod";
import { OWN_CONTROL } from "../model/mod.ts";

/** An image that steers a run by a ControlNet. */
export interface ControlUse {
  /** Of the image's file, lower-case hex. */
  readonly image: string;
  /** `embedded` for the model's own ControlNet, or `manifestHash` of the files of another. */
  readonly network: string;
  /** What is made of the image first: `canny`, its edges; `none` where it shows them already. */
  readonly preprocess: typeof PREPROCESSES[number];
  /** That what the network adds is multiplied by. */
  readonly scale: number;
  /** Shares of the run: it is used from the one to the other. */
  readonly start: number;
  readonly end: number;
}

const PREPROCESSES = ["none", "canny"] as const;
const MAX_CONTROLS = 8;
const MAX_SCALE = 10;

const range = { error: () => rangeOfControl() };

function rangeOfControl(): string {
  return `a list of at most ${MAX_CONTROLS} of {"image": SHA-256 of its file, 64 hex digits in lower ` +
    `case, "network": "${OWN_CONTROL}" (which it is if left out) or 64 hex digits, "preprocess": ` +
    `${
      PREPROCESSES.map((each) => `"${each}"`).join(" or ")
    }, "scale": 0 to ${MAX_SCALE}, "start" ` +
    `below "end", both from 0 to 1}`;
}

const hash = z.string(range).regex(/^[0-9a-f]{64}$/, range);
const share = z.number(range).min(0, range).max(1, range);

/** Of a request's `control`. */
export const controlSchema = z.array(
  z.strictObject({
    image: hash,
    network: z.union([z.literal(OWN_CONTROL), hash], range).default(OWN_CONTROL),
    preprocess: z.enum(PREPROCESSES, range).default("none"),
    scale: z.number(range).min(0, range).max(MAX_SCALE, range).default(1),
    start: share.default(0),
    end: share.default(1),
  }, range).refine(({ start, end }) => start < end, range),
  range,
).max(MAX_CONTROLS, range);

/**
 * How much a ControlNet adds at a step.
 * @param index of the step, from 0. @param steps of the run, each call of the network counted.
 * @see diffusers, `control_guidance_start` and `control_guidance_end`.
 */
export function controlScaleAt(
  { scale, start, end }: Pick<ControlUse, "scale" | "start" | "end">,
  index: number,
  steps: number,
): number {
  return index / steps < start || (index + 1) / steps > end ? 0 : scale;
}
