import { expect, test } from "vitest";
import {
  catchRate,
  chooseSteps,
  drawSteered,
  drawSteps,
  oddestStep,
  privateWords,
  publicWords,
  steeredCatchRate,
} from "../../../core/verifier/mod.ts";
import { receiptId, sketchesOf } from "../../../core/transcript/mod.ts";
import { sample } from "../transcript/fixture.ts";
import { codeOf } from "../transcript/hostile.ts";

/** A fair source that repeats: the public words of some block. */
const fair = publicWords(new Uint8Array(32).fill(1), "ab".repeat(32));

/** Sets of k of 0..n-1, ascending. */
function subsets(n: number, k: number, from = 0): number[][] {
  if (k === 0) return [[]];
  return Array.from({ length: Math.max(0, n - from) }, (_, j) => from + j)
    .flatMap((first) => subsets(n, k - 1, first + 1).map((rest) => [first, ...rest]));
}

/** C(n - c, k) / C(n, k) */
function plainMiss(n: number, k: number, c: number): number {
  let product = 1;
  for (let j = 0; j < k; j++) product *= Math.max(0, n - c - j) / (n - j);
  return product;
}

/** By counting: each left-out step, then each set that touches both halves. */
function countedRate(n: number, k: number, cheated: ReadonlySet<number>): number {
  const outs = k > 1 && n % 2 === 1 ? Array.from({ length: n }, (_, i) => i) : [-1];
  const rates = outs.map((out) => {
    const rest = Array.from({ length: n }, (_, i) => i).filter((i) => i !== out);
    const sets = subsets(rest.length, k).filter((set) =>
      k === 1 || (set[0] < rest.length / 2 && set[k - 1] >= rest.length / 2)
    );
    return sets.filter((set) => set.some((i) => cheated.has(rest[i]))).length / sets.length;
  });
  return rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

test.each([[2, 1], [3, 2], [6, 3], [7, 3], [8, 2], [9, 4]])(
  "catchRate of %i steps, %i drawn is what counting all draws gives, for all placements",
  (steps, count) => {
    for (let bits = 0; bits < 2 ** steps; bits++) {
      const cheated = Array.from({ length: steps }, (_, i) => i).filter((i) => bits >> i & 1);
      expect(catchRate(steps, count, cheated))
        .toBeCloseTo(countedRate(steps, count, new Set(cheated)), 12);
    }
  },
);

test.each([[30, 3], [30, 1], [31, 3], [5, 2], [7, 7], [1, 1], [1000, 5]])(
  "each of %i steps is drawn with probability %i / steps",
  (steps, count) => {
    for (const i of [0, Math.floor(steps / 2), steps - 1]) {
      expect(catchRate(steps, count, [i])).toBeCloseTo(count / steps, 12);
    }
  },
);

// 20,000 draws: five standard deviations of a share of 0.1 to 0.89 are at most 0.011.
test.each([
  ["one step", [7]],
  ["3 spread steps", [4, 14, 24]],
  ["every second", Array.from({ length: 15 }, (_, i) => 2 * i)],
  ["the last ten", Array.from({ length: 10 }, (_, i) => 20 + i)],
])("drawSteps hits %s at the rate of catchRate", (_, cheated) => {
  const runs = 20_000;
  let hits = 0;
  for (let run = 0; run < runs; run++) {
    const drawn = drawSteps(30, 3, fair);
    if (drawn.some((i) => cheated.includes(i))) hits++;
  }
  expect(Math.abs(hits / runs - catchRate(30, 3, cheated))).toBeLessThan(0.0115);
});

test("drawSteps gives distinct steps in order, with both halves hit", () => {
  for (let run = 0; run < 500; run++) {
    const drawn = drawSteps(30, 3, fair);
    expect(new Set(drawn).size).toBe(3);
    expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
    expect(drawn[0]).toBeLessThan(15);
    expect(drawn[2]).toBeGreaterThanOrEqual(15);
  }
  expect(drawSteps(3, 3, fair)).toEqual([0, 1, 2]);
});

// No draw with equal shares can beat plain sampling for every placement: the mean is the same.
test("over all placements the rate is that of plain sampling, and never far from it", () => {
  for (const c of [1, 2, 3]) {
    const rates = subsets(12, c).map((cheated) => catchRate(12, 3, cheated));
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(mean).toBeCloseTo(1 - plainMiss(12, 3, c), 12);
  }
});

test("for 3 of 30 no placement is caught less often than plainly by more than 0.5 points", () => {
  let worst = 0;
  for (let early = 0; early <= 15; early++) {
    for (let late = 0; late <= 15; late++) {
      const cheated = [
        ...Array.from({ length: early }, (_, i) => i),
        ...Array.from({ length: late }, (_, i) => 15 + i),
      ];
      const plain = 1 - plainMiss(30, 3, early + late);
      worst = Math.max(worst, plain - catchRate(30, 3, cheated));
    }
  }
  expect(worst).toBeLessThan(0.005);
  const last = Array.from({ length: 10 }, (_, i) => 20 + i);
  expect(catchRate(30, 3, last)).toBeCloseTo(0.786, 3);
  expect(1 - plainMiss(30, 3, 10)).toBeCloseTo(0.719, 3);
});

test("drawSteered takes the oddest, one of the last five others, and others at random", () => {
  for (const oddest of [0, 13, 27, 29]) {
    for (let run = 0; run < 200; run++) {
      const drawn = drawSteered(30, 4, oddest, fair);
      expect(new Set(drawn).size).toBe(4);
      expect(drawn).toEqual(drawn.toSorted((a, b) => a - b));
      expect(drawn).toContain(oddest);
      expect(drawn.some((i) => i !== oddest && i >= (oddest >= 25 ? 24 : 25))).toBe(true);
    }
  }
  expect(drawSteered(3, 3, 1, fair)).toEqual([0, 1, 2]);
  expect(drawSteered(30, 2, 4, fair)).toContain(4);
});

// 5,000 draws: five standard deviations of a share are at most 0.0354.
test.each([
  ["one early step", 3, [7]],
  ["one of two, early", 2, [7]],
  ["the last", 3, [29]],
  ["the last five", 3, [25, 26, 27, 28, 29]],
  ["every third", 4, Array.from({ length: 10 }, (_, i) => 3 * i)],
  ["a single one", 1, [7]],
])("drawSteered hits %s at the rate of steeredCatchRate", (_, count, cheated) => {
  const runs = 5000;
  let hits = 0;
  for (let run = 0; run < runs; run++) {
    if (drawSteered(30, count, 13, fair).some((i) => cheated.includes(i))) hits++;
  }
  expect(Math.abs(hits / runs - steeredCatchRate(30, count, 13, cheated))).toBeLessThan(0.0354);
});

// Of 3 of 30: the oddest always; 1/5 + 4/5 * 1/28 in the last five; 1/28 elsewhere.
test("steeredCatchRate is what the draw's description says", () => {
  expect(steeredCatchRate(30, 3, 13, [13])).toBe(1);
  expect(steeredCatchRate(30, 3, 13, [29])).toBeCloseTo(1 / 5 + 4 / 5 / 28, 12);
  expect(steeredCatchRate(30, 3, 13, [0])).toBeCloseTo(1 / 28, 12);
  expect(steeredCatchRate(30, 3, 13, [0, 1])).toBeCloseTo(2 / 28, 12);
  expect(steeredCatchRate(30, 30, 13, [0])).toBe(1);
  expect(steeredCatchRate(30, 3, 13, [])).toBe(0);
});

test("a receipt with sketches is drawn by its oddest step, one without as all were before", async () => {
  const { receipt } = await sample({ steps: 20 });
  const early = (await sample({ steps: 20, sketched: false })).receipt;
  const blockHash = "03".repeat(32);
  const words = (id: string) => publicWords(new Uint8Array(32).fill(3), id);
  const oddest = oddestStep(sketchesOf(receipt) ?? []);
  const drawn = chooseSteps(receipt, { blockHash });
  expect(drawn.steps).toEqual(drawSteered(20, 3, oddest, words(receiptId(receipt))));
  expect(chooseSteps(receipt, {}).steps).toContain(oddest);
  expect(chooseSteps(early, { blockHash }).steps).toEqual(
    drawSteps(20, 3, words(receiptId(early))),
  );
});

test("publicWords depend on block and receipt, and repeat", () => {
  const words = (block: number, receipt: string) => {
    const source = publicWords(new Uint8Array(32).fill(block), receipt.repeat(32));
    return Array.from({ length: 20 }, source);
  };
  expect(words(1, "ab")).toEqual(words(1, "ab"));
  expect(words(1, "ab")).not.toEqual(words(2, "ab"));
  expect(words(1, "ab")).not.toEqual(words(1, "ac"));
});

test.each([[3, 4], [3, 0], [0, 1], [3, 1.5], [2.5, 1]])(
  "drawSteps refuses %d steps, %d drawn",
  (steps, count) => {
    expect(codeOf(() => drawSteps(steps, count, fair))).toBe("challenge_invalid");
  },
);

test.each([0, 255])("drawSteps gives up on a source of %i alone", (byte) => {
  const words = privateWords((count) => new Uint8Array(count).fill(byte));
  expect(codeOf(() => drawSteps(30, 3, words))).toBe("challenge_invalid");
});

test("privateWords takes what the given generator makes", () => {
  expect(privateWords(() => Uint8Array.of(1, 2, 3, 4))()).toBe(0x01020304);
});
