import { describe, expect, test } from "vitest";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import type { RgbaImage } from "../../../core/image/mod.ts";
import type { OpeningTarget } from "../../../core/transcript/mod.ts";
import { openStep } from "../../../core/prover/mod.ts";
import {
  checkImageLeaf,
  checkImageSteps,
  checkOpening,
  checkReceipt,
  type ImageCheck,
  type Level,
  psnr,
} from "../../../core/verifier/mod.ts";
import { type Sample, sample, type SampleOptions, withSketch } from "../transcript/fixture.ts";
import { codeOf, flipped } from "../transcript/hostile.ts";
import { rejection } from "../../fixtures/rejection.ts";

const pixels: RgbaImage = { width: 2, height: 1, data: new Uint8ClampedArray(8).fill(100) };

/** A network that predicts what was committed, and counts what it is asked. */
function network(from: Sample, decoded = pixels) {
  const asked: number[][] = [];
  const engine: Pick<ImageEngine, "predict" | "decode"> = {
    predict: (_, states) => {
      asked.push(states.map(({ index }) => index));
      return Promise.resolve(
        states.map(({ index }) => new Uint16Array(from.leaves[2 * index + 1].slice().buffer)),
      );
    },
    decode: () => Promise.resolve(decoded),
  };
  return { asked, engine };
}

interface Given {
  readonly level: Level;
  readonly steps: readonly number[];
  readonly forge?: SampleOptions["forge"];
  readonly sketched?: boolean;
  /** A step whose sketch is false. */
  readonly sketchOf?: number;
  readonly engine?: Pick<ImageEngine, "predict" | "decode">;
  readonly decoded?: RgbaImage;
  /** Whether its file is given. */
  readonly image?: boolean;
}

async function run({ level, steps, engine, decoded, image = true, ...given }: Given) {
  const { forge, sketched, sketchOf } = given;
  const honestly = await sample({ forge, sketched });
  const made = sketchOf === undefined ? honestly : {
    ...honestly,
    receipt: await withSketch(honestly.receipt, ({ [sketchOf]: p }) => p.fill(1)),
  };
  const opened: OpeningTarget[] = [];
  const { asked, engine: honest } = network(made, decoded);
  const committed = checkReceipt(made.receipt, { plan: made.plan });
  const files: (OpeningTarget | undefined)[] = [];
  const check: ImageCheck = {
    committed,
    level,
    steps,
    open: async (target) => {
      opened.push(target);
      const bytes = await openStep(made.source, made.receipt, made.plan, target);
      return checkOpening(bytes, committed, target);
    },
    network: {
      request: {} as GenerationRequest,
      engine: () => Promise.resolve(engine ?? honest),
      tolerance: { precision: "float32", points: [{ noise: 1, tolerance: 1e-3 }] },
    },
    ...(image && {
      image: (last) => {
        files.push(last?.target);
        const compare = (decoded: RgbaImage | undefined) =>
          Promise.resolve({ psnr: decoded ? psnr(pixels, decoded) : 0, floor: 45 });
        return Promise.resolve({ open: () => Promise.resolve({ compare }) });
      },
    }),
  };
  return { findings: await checkImageSteps(check), opened, asked, files };
}

test("checkImageSteps asks the network once, for all drawn steps", async () => {
  const { findings, asked } = await run({ level: 3, steps: [1, 2, 3] });
  expect(findings).toMatchObject({ verdict: "honest", image: { psnr: Infinity } });
  expect(asked).toEqual([[1, 2, 3]]);
});

test.each(
  [
    [[1, 3], 0, ["start", 1, 3]],
    [[1, 3], 2, ["start", 1, 3, "end"]],
    [[1, 3], 3, ["start", 1, 3, "end"]],
    [[0, 2], 3, [0, 2, "end"]],
    [[0, 4], 3, [0, 4]],
  ] as const,
)("steps %j at level %d take the openings %j", async (steps, level, targets) => {
  const { findings, opened } = await run({ level, steps });
  expect(opened).toEqual(targets);
  expect(findings).toMatchObject({
    verdict: "honest",
    ...(level > 0 && { start: { outside: 0 } }),
  });
});

test("without sketches x_N is for the image alone", async () => {
  const { opened } = await run({ level: 2, steps: [1, 3], sketched: false });
  expect(opened).toEqual(["start", 1, 3]);
});

test("false sketches are invalid, and no network is asked", async () => {
  const { findings, asked } = await run({ level: 3, steps: [1], sketchOf: 1 });
  expect(findings).toMatchObject({ verdict: "invalid", sketches: { otherPredictions: [1] } });
  expect(asked).toEqual([]);
});

describe("what is dearer is left out once something cheaper does not hold", () => {
  const forge: SampleOptions["forge"] = (leaf) =>
    leaf.kind === "x" && leaf.index === 2
      ? { ...leaf, bits: leaf.bits.map((bits) => bits ^ 0x100) }
      : leaf;

  test("a forged state is invalid, and no network is asked", async () => {
    const { findings, asked, files } = await run({ level: 3, steps: [1], forge });
    expect(findings).toMatchObject({ verdict: "invalid", level: 1 });
    expect(findings.image).toBeUndefined();
    expect(asked).toEqual([]);
    expect(files).toEqual([]);
  });

  test("level 0 checks proofs alone", async () => {
    const { findings } = await run({ level: 0, steps: [1], forge });
    expect(findings).toMatchObject({ verdict: "honest", steps: [{ step: 1 }] });
    expect(findings.steps[0].arithmetic).toBeUndefined();
  });
});

test.each(
  [
    ["no steps", { level: 3, steps: [] }, 0],
    ["level 0", { level: 0, steps: [2] }, 0],
    ["level 1", { level: 1, steps: [2] }, 1],
    ["level 2", { level: 2, steps: [2] }, 2],
    ["level 3 without an image", { level: 3, steps: [2], image: false }, 2],
    ["level 3", { level: 3, steps: [2] }, 3],
  ] as const,
)("of %s the report names the level that was reached", async (_, given, level) => {
  const { findings, asked } = await run(given);
  expect(findings).toMatchObject({ verdict: "honest", level });
  // No step is no batch for the network.
  expect(asked).toEqual(level >= 2 ? [given.steps] : []);
});

test("the image is compared with the opening that proves its leaf", async () => {
  expect((await run({ level: 3, steps: [1] })).files).toEqual(["end"]);
  expect((await run({ level: 3, steps: [4] })).files).toEqual([4]);
  expect((await run({ level: 0, steps: [1] })).files).toEqual([undefined]);
});

test.each(["end", 4] as const)(
  "checkImageLeaf: the opening of %s knows the image",
  async (target) => {
    const made = await sample();
    const committed = checkReceipt(made.receipt, { plan: made.plan });
    const opening = checkOpening(
      await openStep(made.source, made.receipt, made.plan, target),
      committed,
      target,
    );
    checkImageLeaf(opening, made.image);
    for (let bit = 0; bit < 8 * made.image.length; bit++) {
      expect(codeOf(() => checkImageLeaf(opening, flipped(made.image, bit)))).toBe("proof_invalid");
    }
  },
);

test("a prediction of another step is suspect", async () => {
  const { engine } = network(await sample());
  const wrong = {
    ...engine,
    predict: (request: GenerationRequest, states: Parameters<ImageEngine["predict"]>[1]) =>
      engine.predict(request, states.map((state) => ({ ...state, index: state.index - 1 }))),
  };
  const { findings } = await run({ level: 2, steps: [2], engine: wrong });
  expect(findings.verdict).toBe("suspect");
  expect(findings.worst).toBeGreaterThan(1);
});

test("an image of other pixels than the decoded one is suspect", async () => {
  const decoded = { ...pixels, data: new Uint8ClampedArray(8).fill(130) };
  const { findings } = await run({ level: 3, steps: [2], decoded });
  expect(findings).toMatchObject({ verdict: "suspect", similarity: expect.closeTo(1, 9) });
  expect(findings.image?.psnr).toBeLessThan(45);
});

test("an opening of another step is no evidence", async () => {
  const made = await sample();
  const check: ImageCheck = {
    committed: checkReceipt(made.receipt, { plan: made.plan }),
    level: 1,
    steps: [1],
    open: async (target) =>
      checkOpening(
        await openStep(made.source, made.receipt, made.plan, 2),
        checkReceipt(made.receipt, { plan: made.plan }),
        target,
      ),
  };
  expect(await rejection(checkImageSteps(check))).toMatchObject({
    code: expect.stringMatching(/^opening_/),
  });
});
