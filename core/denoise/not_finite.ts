import { AppError } from "../error.ts";
import type { Leaf } from "./loop_input.ts";

/**
 * The error for a state or prediction that has left float16: of the request's settings, since the
 * same ones leave it on any machine.
 * @param steps of the whole run.
 */
export function notFinite(kind: Leaf["kind"], index: number, steps: number): AppError {
  const what = kind === "d"
    ? `the prediction of step ${index + 1} of ${steps}`
    : index === 0
    ? "the noise that it starts from"
    : `the state after step ${index} of ${steps}`;
  return new AppError(
    "not_finite",
    `Cannot generate: ${what} left the range of float16; choose another scheduler, more steps or ` +
      "a lower guidance scale",
  );
}
