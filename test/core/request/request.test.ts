import { expect, test } from "vitest";
import {
  completeRequest,
  decodeDraft,
  decodeRequest,
  encodeRequest,
  randomSeed,
} from "../../../core/request/mod.ts";
import { thrownBy } from "../../fixtures/thrown.ts";

const defaults = { width: 256, height: 256, steps: 20, guidanceScale: 5, seed: 3n };
const decode = (input: unknown) => decodeRequest(input, defaults);

test("decodeRequest completes a request with the model's defaults", () => {
  expect(decode({ prompt: "a" })).toEqual({
    prompt: "a",
    prompt2: "",
    negativePrompt: "",
    negativePrompt2: "",
    width: 256,
    height: 256,
    steps: 20,
    guidanceScale: 5,
    seed: 3n,
    scheduler: undefined,
    batch: 1,
    expandKeywords: true,
    adapters: [],
    weighting: "none",
    clipSkip: 0,
    guidanceRescale: 0,
    control: [],
    vaeTiling: false,
  });
});

test("fields that came later are written only where they are not the default", () => {
  const plain = encodeRequest(decode({ prompt: "a" }));
  for (
    const field of ["adapters", "weighting", "clipSkip", "guidanceRescale", "control", "vaeTiling"]
  ) {
    expect(plain).not.toHaveProperty(field);
  }
  const given = {
    adapters: [{ sha256: "0f".repeat(32), scale: -0.5 }],
    ...{ weighting: "a1111", clipSkip: 2, guidanceRescale: 0.7 },
  };
  expect(encodeRequest(decode(given))).toMatchObject(given);
  expect(decode(encodeRequest(decode(given)))).toEqual(decode(given));
});

test.each([
  [{ adapters: [{ sha256: "abc", scale: 1 }] }, "adapters"],
  [{ adapters: Array(17).fill({ sha256: "0f".repeat(32), scale: 1 }) }, "adapters"],
  [{ weighting: "sd-webui" }, "weighting"],
  [{ clipSkip: -1 }, "clipSkip"],
  [{ guidanceRescale: 1.5 }, "guidanceRescale"],
])("%j is refused by the name of its field", (input, field) => {
  expect(thrownBy(() => decode(input))).toMatchObject({ code: "invalid_request", field });
});

test("a draft is checked before its model is known, and completed to the same request", () => {
  const { seed, ...ofModel } = defaults;
  for (const input of [{ prompt: "a" }, { steps: 3, width: 64, seed: 9, batch: 2 }]) {
    const draft = decodeDraft(input, { seed });
    expect(completeRequest(draft, ofModel)).toEqual(decode(input));
  }
  expect(thrownBy(() => decodeDraft({ width: 65 }, { seed }))).toMatchObject({
    code: "invalid_request",
  });
});

test("decodeRequest keeps every value that is given, an empty prompt and seed 0 among them", () => {
  const given = { prompt: "", width: 8, height: 4096, steps: 1000, guidanceScale: 0, seed: 0 };
  expect(decode(given)).toMatchObject({ ...given, seed: 0n });
  expect(decode({ seed: "18446744073709551615" }).seed).toBe(2n ** 64n - 1n);
});

test.each([
  [{ width: 510 }, "width is 510, not a multiple of 8 from 8 to 4096 pixels"],
  [{ width: 0 }, "width is 0, not a multiple of 8"],
  [{ height: 100.5 }, "height is 100.5, not a multiple of 8"],
  [{ width: "wide" }, 'width is "wide", not a multiple of 8'],
  [{ height: 8192 }, "height is 8192, not a multiple of 8 from 8 to 4096"],
  [{ steps: 0 }, "steps is 0, not a whole number from 1 to 1000"],
  [{ steps: 2000 }, "steps is 2000, not a whole number from 1 to 1000"],
  [{ steps: 2.5 }, "steps is 2.5, not a whole number"],
  [{ guidanceScale: NaN }, "guidanceScale is NaN, not a number from 0 to 100"],
  [{ guidanceScale: -1 }, "guidanceScale is -1, not a number from 0 to 100"],
  [{ guidanceScale: Infinity }, "guidanceScale is Infinity, not a number"],
  [{ seed: -2 }, "seed is -2, not a whole number from 0 to 2^64-1"],
  [{ seed: "18446744073709551616" }, "not a whole number from 0 to 2^64-1"],
  [{ seed: "-2" }, "not a whole number from 0 to 2^64-1"],
  [{ seed: 2 ** 60 }, "not a whole number from 0 to 2^64-1"],
  [{ batch: 0 }, "batch is 0, not a whole number from 1 to 64"],
  [{ scheduler: 5 }, "scheduler is 5, not a name or an object"],
  [{ prompt: 5 }, "prompt is 5, not text"],
  [{ stepz: 5 }, "stepz is not a field of a request"],
  ["text", 'request is "text", not'],
])("decodeRequest refuses %j: %s", (input, words) => {
  expect(thrownBy(() => decode(input))).toMatchObject({
    code: "invalid_request",
    message: expect.stringContaining(words),
  });
});

test.each([-1, "-1", -1n, null, undefined])(
  "a seed of %s is left to the defaults, which are random where servers make them",
  (seed) => {
    expect(decode({ seed }).seed).toBe(3n);
  },
);

test("randomSeed differs each time, and is exact as a number in JSON", () => {
  const seeds = Array.from({ length: 100 }, randomSeed);
  expect(new Set(seeds).size).toBe(100);
  for (const seed of seeds) expect(Number.isSafeInteger(Number(seed))).toBe(true);
});

test("a field that is null counts as left out", () => {
  const nothing = Object.fromEntries(
    Object.keys(decode({})).map((field) => [field, null]),
  );
  expect(decode({ ...nothing, prompt: "a" })).toEqual(decode({ prompt: "a" }));
});

test("decodeRequest refuses a batch whose last seed is out of range", () => {
  expect(() => decode({ seed: "18446744073709551615", batch: 2 })).toThrow("too large for a batch");
});

test("encodeRequest and decodeRequest are each other's inverse through JSON", () => {
  const request = decode({
    prompt: "τ",
    seed: "18446744073709551614",
    scheduler: { _class_name: "DDIMScheduler" },
  });
  expect(decode(JSON.parse(JSON.stringify(encodeRequest(request))))).toEqual(request);
});
