import { expect, test } from "vitest";
import { controlScaleAt, decodeRequest, encodeRequest } from "../../../core/request/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const defaults = { width: 256, height: 256, steps: 20, guidanceScale: 5, seed: 3n };
const image = "0a".repeat(32);
const decode = (control: unknown) => decodeRequest({ prompt: "a", control }, defaults);

test("control is completed, and written only where there is some", () => {
  const use = { image, network: "embedded", preprocess: "none", scale: 1, start: 0, end: 1 };
  expect(decode([{ image }]).control).toEqual([use]);
  expect(encodeRequest(decode([{ image }])).control).toEqual([use]);
  expect(encodeRequest(decode([]))).not.toHaveProperty("control");
});

test.each([
  [[{}]],
  [[{ image: "photo.png" }]],
  [[{ image, network: "canny" }]],
  [[{ image, preprocess: "depth" }]],
  [[{ image, scale: 11 }]],
  [[{ image, start: 0.5, end: 0.5 }]],
  [[{ image, weight: 1 }]],
  [Array(9).fill({ image })],
])("%j is refused by name and range", (control) => {
  const error = thrownBy(() => decode(control));
  expect(error).toMatchObject({ code: "invalid_request", field: "control" });
  expect(String(error)).toContain('"scale": 0 to 10, "start" below "end", both from 0 to 1');
});

// Of 4 steps, as diffusers' `controlnet_keep` has it.
test.each([
  [{ start: 0, end: 1 }, [0.5, 0.5, 0.5, 0.5]],
  [{ start: 0, end: 0.5 }, [0.5, 0.5, 0, 0]],
  [{ start: 0.25, end: 0.9 }, [0, 0.5, 0.5, 0]],
  [{ start: 0.3, end: 1 }, [0, 0, 0.5, 0.5]],
])("%j of a run is its steps %j", (share, expected) => {
  const scales = expected.map((_, i) => controlScaleAt({ scale: 0.5, ...share }, i, 4));
  expect(scales).toEqual(expected);
});
