import { AppError } from "../error.ts";
import { shortened } from "./literal_weights.ts";

/** A piece of a prompt, and how much it counts: 1 as it is. */
export interface Fragment {
  readonly text: string;
  readonly weight: number;
}

/** A prompt in sections that begin a chunk of their own. */
export type WeightedText = readonly (readonly Fragment[])[];

/** The error for what a way of writing prompts has a meaning for, and Stepwise has not. */
export function unread(weighting: string, found: string, remedy: string): AppError {
  return new AppError(
    "invalid_request",
    `Cannot read the prompt: ${JSON.stringify(shortened(found))} has a meaning in ${weighting} ` +
      `that is not built; ${remedy}`,
  );
}
