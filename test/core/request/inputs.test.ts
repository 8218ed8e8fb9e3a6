import { expect, test } from "vitest";
import { decodeRequest, inputsOf } from "../../../core/request/mod.ts";

const defaults = { width: 256, height: 256, steps: 20, guidanceScale: 5, seed: 3n };
const [photo, mask, edges] = ["0a".repeat(32), "0b".repeat(32), "0c".repeat(32)];

test("a request lists every file that it names, and a prompt alone names none", () => {
  expect(inputsOf(decodeRequest({ prompt: "a" }, defaults))).toEqual([]);
  const control = [{ image: edges }, { image: photo, preprocess: "canny" }];
  expect(inputsOf(decodeRequest({ image: photo, mask, control }, defaults))).toEqual([
    { field: "image", sha256: photo },
    { field: "mask", sha256: mask },
    { field: "control", sha256: edges },
    { field: "control", sha256: photo },
  ]);
});
