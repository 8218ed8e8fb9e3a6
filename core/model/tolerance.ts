import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";

const point = z.strictObject({
  /** Noise over signal, sigma / alpha of the step: the same scale for every solver. */
  noise: z.number().positive(),
  /** The largest velocity error of an honest step there. */
  tolerance: z.number().positive().max(2),
});

/** Of one model and precision, in the catalogue and in calibration records. */
export const toleranceSchema = z.strictObject({
  /** Of the less exact side's network arithmetic. */
  precision: z.enum(["float32", "float16"]),
  /** By rising noise. Between two points log(tolerance) is linear in log(noise). */
  points: z.array(point).min(1).max(1000).refine(
    (points) => points.every(({ noise }, k) => k === 0 || noise > points[k - 1].noise),
    "noise must rise",
  ),
});

/** How far honest machines are apart, for one model and precision. */
export type Tolerance = z.infer<typeof toleranceSchema>;

/**
 * The `tolerances` of a model's catalogue entry.
 * @throws AppError `invalid_config` that names the field.
 */
export function decodeTolerances(json: unknown): Tolerance[] {
  const decoded = z.array(toleranceSchema).safeParse(json);
  if (decoded.success) return decoded.data;
  const [issue] = decoded.error.issues;
  throw new AppError(
    "invalid_config",
    `Cannot read the tolerances: ${issueSentence(issue, json)}`,
    { cause: decoded.error },
  );
}
