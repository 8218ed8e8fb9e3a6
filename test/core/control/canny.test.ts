import { expect, test } from "vitest";
import { cannyReference, gaussianBlurReference } from "../../../core/control/mod.ts";
import { cannyGolden } from "../../fixtures/kernels/canny_golden.ts";

test.each(cannyGolden)("cannyReference finds OpenCV's edges in $name", ({ image, runs }) => {
  for (const { options, edges } of runs) expect(cannyReference(image, options)).toEqual(edges);
});

const blurred = cannyGolden.filter((golden) => golden.blurred.length > 0);

test.each(blurred)("gaussianBlurReference blurs $name as OpenCV does", ({ image, blurred }) => {
  expect(gaussianBlurReference(image, 1)).toEqual(blurred[0]);
  expect(gaussianBlurReference(image, 2)).toEqual(blurred[1]);
});
