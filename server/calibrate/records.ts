import { AppError } from "../../core/error.ts";
import type { Tolerance } from "../../core/model/mod.ts";
import {
  calibrationOf,
  type HonestImage,
  type Measured,
  toleranceAt,
} from "../../core/verifier/mod.ts";
import type { StepAgreement } from "./agreement.ts";
import type { Machine } from "./hosts.ts";

type UnsignedRecord = ReturnType<typeof calibrationOf>;

/**
 * A calibration record of each backend that another one with the same weights has checked.
 * @param tolerances of the catalogue: what a check divides errors by.
 * @param date `YYYY-MM-DD`
 * @throws AppError `invalid_request` where there is no such pair, no tolerance or but one image.
 */
export async function recordsOf(
  steps: readonly StepAgreement[],
  machines: ReadonlyMap<string, Machine>,
  tolerances: readonly Tolerance[],
  date: string,
): Promise<UnsignedRecord[]> {
  const records: UnsignedRecord[] = [];
  for (const [name, { engine, precision, facts }] of machines) {
    const checked = steps.filter(({ maker, checker }) => maker === name && isTwin(name, checker));
    if (checked.length === 0) continue;
    const tolerance = tolerances.find((each) => each.precision === precision) ??
      refuse(`the catalogue has no tolerances for ${precision}`);
    const measured: Measured = {
      ...{ manifest: (await facts()).manifest, backend: kindOf(name), device: engine.compute },
      checkers: [...new Set(checked.map(({ checker }) => kindOf(checker)))],
      ...{ tolerance, date },
    };
    records.push(calibrationOf(measured, imagesOf(checked, tolerance)));
  }
  if (records.length === 0) refuse("no two of the engines have the same weights");
  return records;
}

/** Errors over the tolerance, an image on each checker. */
function imagesOf(steps: readonly StepAgreement[], tolerance: Tolerance): HonestImage[] {
  const images = [...Map.groupBy(steps, ({ run, checker }) => `${run} ${checker}`).values()]
    .flatMap((own) => {
      const [{ scheduler }] = own;
      return scheduler === undefined ? [] : [{ scheduler, ratios: ratiosOf(own, tolerance) }];
    });
  for (const [scheduler, own] of Map.groupBy(images, (image) => image.scheduler)) {
    if (own.length > 1) continue;
    refuse(`--runs leaves one image alone of the scheduler ${scheduler}, which shows no spread`);
  }
  return images;
}

function ratiosOf(steps: readonly StepAgreement[], tolerance: Tolerance): number[] {
  return steps.map(({ velocityError, noise }) =>
    velocityError / toleranceAt(tolerance, { alpha: 1, sigma: noise })
  );
}

/** Another host with the same weights. */
function isTwin(maker: string, checker: string): boolean {
  return maker !== checker && maker.split(":")[1] === checker.split(":")[1];
}

function kindOf(name: string): string {
  return name.split(":")[0];
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot write calibration records: ${why}`);
}
