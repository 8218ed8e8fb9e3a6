import { expect, test } from "vitest";
import { encodeImage } from "../../../core/image/mod.ts";
import { canonicalJson, type OpeningTarget, signReceipt } from "../../../core/transcript/mod.ts";
import { openStep } from "../../../core/prover/mod.ts";
import { planFromConfig, schedulerConfigFromName } from "../../../core/schedule/mod.ts";
import {
  checkImage,
  checkOpening,
  checkReceipt,
  checkStep,
  compareStep,
  openedLeaf,
  passesStep,
} from "../../../core/verifier/mod.ts";
import { type Sample, sample, SDE_CONFIG, signer } from "../transcript/fixture.ts";
import { codeOf } from "../transcript/hostile.ts";

const honest = await sample();

async function provenOf(from: Sample, target: OpeningTarget) {
  const committed = checkReceipt(from.receipt, { plan: from.plan });
  return checkOpening(
    await openStep(from.source, from.receipt, from.plan, target),
    committed,
    target,
  );
}

test("checkReceipt accepts what is as expected", () => {
  const { receipt, plan } = honest;
  const expected = {
    plan,
    request: JSON.parse(canonicalJson(receipt.request)),
    miner: receipt.miner,
    manifest: receipt.model.manifest,
    now: receipt.times.finished,
  };
  expect(checkReceipt(receipt, expected).receipt).toBe(receipt);
});

const another = planFromConfig({ ...SDE_CONFIG, use_karras_sigmas: false }, 5);
test.each([
  ["plan", { plan: another }, "receipt_mismatch"],
  ["request", { request: { ...honest.receipt.request, prompt: "a blue τ" } }, "receipt_mismatch"],
  ["miner", { miner: "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY" }, "receipt_mismatch"],
  ["validator", { validator: honest.receipt.miner }, "receipt_mismatch"],
  ["model", { manifest: "00".repeat(32) }, "receipt_mismatch"],
  ["time", { now: 1 }, "receipt_mismatch"],
])("checkReceipt refuses another %s", (_, different, code) => {
  expect(codeOf(() => checkReceipt(honest.receipt, { plan: honest.plan, ...different }))).toBe(
    code,
  );
});

test.each([
  ["of another receipt", (await sample({ seed: 43n })).receipt.signature],
  ["that is none", "00".repeat(64)],
])("checkReceipt refuses a signature %s", (_, signature) => {
  const receipt = { ...honest.receipt, signature };
  expect(codeOf(() => checkReceipt(receipt, honest))).toBe("signature_invalid");
});

test("checkImage accepts the committed file alone, if it is canonical", async () => {
  const pixels = { width: 32, height: 32, data: new Uint8ClampedArray(4 * 32 * 32).fill(255) };
  const image = await encodeImage(pixels, "png");
  const { receipt, plan } = await sample({ image });
  const committed = checkReceipt(receipt, { plan });
  expect(codeOf(() => checkImage(committed, image))).toBeUndefined();
  expect(codeOf(() => checkImage(committed, image.with(0, 0)))).toBe("receipt_mismatch");
  expect(codeOf(() => checkImage(committed, image.slice(1)))).toBe("receipt_mismatch");
  expect(codeOf(() => checkImage(honest, honest.image))).toBe("image_not_canonical");
});

// Solvers of every kind: SDE and ODE, orders 1 to 3, terms of older states, flow, Euler's scale.
test.each([
  ["dpmpp_2m_sde_karras"],
  ["dpmpp_3m"],
  ["euler"],
  ["euler_a"],
  ["ddim"],
  ["lcm"],
  ["unipc"],
  ["pndm"],
  ["lms"],
  ["heun"],
  ["dpm2_a"],
  ["dpmpp_2s"],
  ["deis"],
  ["ddpm"],
  ["tcd"],
  ["dpmsolver order 3", {
    ...SDE_CONFIG,
    algorithm_type: "dpmsolver",
    solver_order: 3,
    final_sigmas_type: "sigma_min",
  }],
  ["unipc order 3 in noise", {
    ...SDE_CONFIG,
    _class_name: "UniPCMultistepScheduler",
    algorithm_type: undefined,
    solver_order: 3,
    predict_x0: false,
  }],
  ["flow", { _class_name: "FlowMatchEulerDiscreteScheduler", shift: 3 }],
])("checkStep passes every step of an honest generation by %s", async (name, given?: object) => {
  const config = given ?? schedulerConfigFromName(name, SDE_CONFIG) as object;
  const run = await sample({ config, steps: 7 });
  for (const target of ["start", ...run.plan.rows.keys(), "end"] as const) {
    const opening = await provenOf(run, target);
    const check = checkStep(opening);
    expect(passesStep(check)).toBe(true);
    expect(check.next?.differing ?? 0).toBe(0);
    expect(check.start !== undefined).toBe(opening.leaves.has("x.0"));
  }
});

/** Adds to one value of one leaf, by float16 steps. */
const forging = (kind: "x" | "d", index: number, steps: number) =>
  sample({
    forge: (leaf) =>
      leaf.kind === kind && leaf.index === index
        ? { ...leaf, bits: leaf.bits.map((half, j) => j === 5 ? half + steps : half) }
        : leaf,
  });

test.each(
  [
    ["a state", "x", 3, 2, ["next"]],
    ["the first state", "x", 0, 0, ["start"]],
    ["a prediction", "d", 2, 2, ["next"]],
    ["an older prediction", "d", 1, 2, ["next"]],
  ] as const,
)("checkStep finds one value of %s forged", async (_, kind, index, step, where) => {
  const forged = await forging(kind, index, 8);
  const check = checkStep(await provenOf(forged, step));
  expect(passesStep(check)).toBe(false);
  for (const at of where) {
    expect(check[at]).toMatchObject({ outside: 1 });
  }
});

test("checkStep finds another seed at the start and in the noise of every step", async () => {
  const other = await sample({ seed: 43n });
  const { signature: _, ...statement } = other.receipt;
  const claimed = { ...statement, request: { ...statement.request, seed: "42" } };
  const receipt = await signReceipt(claimed, signer);
  const committed = checkReceipt(receipt, { plan: other.plan });
  for (const target of ["start", 1, 2] as const) {
    const bytes = await openStep(other.source, receipt, other.plan, target);
    expect(passesStep(checkStep(checkOpening(bytes, committed, target)))).toBe(false);
  }
});

test("compareStep finds the committed prediction equal to itself and far from another", async () => {
  const opening = await provenOf(honest, 2);
  const same = compareStep(opening, openedLeaf(opening, "d", 2));
  const other = compareStep(opening, openedLeaf(opening, "d", 1));
  expect(same).toMatchObject({ velocityError: 0, similarity: expect.closeTo(1, 12) });
  expect(same.latentCosine).toBeGreaterThan(0.999999);
  expect(other.velocityError).toBeGreaterThan(0.1);
  expect(codeOf(() => compareStep(opening, new Uint16Array(65)))).toBe("shape_mismatch");
});

test("compareStep needs the opening of a step", async () => {
  const opening = await provenOf(honest, "end");
  expect(codeOf(() => compareStep(opening, new Uint16Array(64)))).toBe("challenge_invalid");
});
