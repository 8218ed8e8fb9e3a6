import { AppError } from "../error.ts";
import type { Hotkey } from "../keys/mod.ts";
import { type LeafSource, makeReceipts, openStep } from "../prover/mod.ts";
import type { Tolerance } from "../model/mod.ts";
import type { GenerationRequest } from "../request/mod.ts";
import type { ImageEngine } from "../generation/mod.ts";
import type { LatentDims } from "../denoise/mod.ts";
import { fromHalf } from "../half.ts";
import { MAX_REACH, type Plan } from "../schedule/mod.ts";
import { sketchesOf, type TensorLeaf, TranscriptBuilder } from "../transcript/mod.ts";
import {
  type CheckedReceipt,
  checkImageSteps,
  checkOpening,
  checkReceipt,
  finishResidual,
  oddestStep,
  residualSums,
  type StepFinding,
  toleranceAt,
} from "../verifier/mod.ts";
import { type CheatedRun, type States, stepFrom } from "./lab.ts";

/** The checker, and what it checks with. */
export interface Checker {
  readonly request: GenerationRequest;
  readonly plan: Plan;
  /** What Subnet 30's rule re-runs: its solver restarts at each step, so it is of first order. */
  readonly olderPlan: Plan;
  readonly dims: LatentDims;
  /** The model that the receipt names. */
  readonly engine: Pick<ImageEngine, "predict">;
  readonly tolerance: Tolerance;
  /** The key that signs the receipts of the runs to check. */
  readonly miner: Hotkey;
}

/** One step of a run, as our checks and as Subnet 30's rule see it. */
export interface ExaminedStep {
  readonly index: number;
  readonly cheated: boolean;
  /** Not honest, if this step alone is drawn. */
  readonly flagged: boolean;
  /** Velocity error over its tolerance; Infinity where evidence did not hold. */
  readonly ratio: number;
  /** NaN where evidence did not hold. */
  readonly velocityError: number;
  readonly tolerance: number;
  /** cos(v, v'); 0 where evidence did not hold: it is not scored. */
  readonly similarity: number;
  /** cos(x_{i+1}, x'_{i+1}), all that Subnet 30's rule compares. */
  readonly latentCosine: number;
}

/** Stands for the image's file, which no check below level 3 looks into. */
const IMAGE = new Uint8Array(64);

/** A run as it was committed to and checked. */
export interface Examination {
  readonly sights: readonly ExaminedStep[];
  /** The step that the receipt's sketches make the oddest: it is always drawn. */
  readonly oddest: number;
}

/** Commits to a run, opens each step by itself, and checks it to level 2. */
export async function examineRun(run: CheatedRun, checker: Checker): Promise<Examination> {
  const { request, plan, engine, tolerance } = checker;
  const evidence = await commit(run, checker);
  const states = plan.rows.map((_, index) => ({ index, bits: run.x[index] }));
  const again = await engine.predict(request, states);
  const sights: ExaminedStep[] = [];
  for (const index of plan.rows.keys()) {
    const finding = await findingOf(index, { run, checker, evidence, again });
    const residual = finding?.network?.residual;
    const ratio = finding?.network && residual
      ? residual.velocityError / finding.network.tolerance
      : Infinity;
    sights.push({
      index,
      cheated: run.cheated.has(index),
      flagged: !(ratio <= 1),
      ratio,
      velocityError: residual?.velocityError ?? NaN,
      tolerance: toleranceAt(tolerance, plan.rows[index]),
      similarity: residual?.similarity ?? 0,
      latentCosine: latentCosine(run, checker, index, again[index]),
    });
  }
  return { sights, oddest: oddestStep(sketchesOf(evidence.committed.receipt) ?? []) };
}

interface Evidence {
  readonly committed: CheckedReceipt;
  readonly source: LeafSource;
}

async function commit(run: CheatedRun, checker: Checker): Promise<Evidence> {
  const { plan, dims, request, miner, tolerance: { precision } } = checker;
  const builder = new TranscriptBuilder(dims);
  for (const leaf of leavesOf(run.commits ?? run)) builder.add(leaf);
  const commitment = builder.finish(IMAGE, plan.rows.length);
  const opened = leavesOf(run).map(({ bits }) => new Uint8Array(bits.slice().buffer));
  const [receipt] = await makeReceipts({
    generation: { request, plan, latentDims: dims },
    model: { id: "adversary", manifest: "0".repeat(64), precision },
    backend: { host: "cpu", adapter: "cpu" },
    format: "png",
    files: [IMAGE],
    commitments: [commitment],
    times: { started: 0, finished: 0 },
  }, miner);
  return {
    committed: checkReceipt(receipt, { plan }),
    source: { hashes: commitment.hashes, leaf: (position) => Promise.resolve(opened[position]) },
  };
}

/** In the transcript's order. */
function leavesOf({ x, d }: States): TensorLeaf[] {
  return x.flatMap((bits, index): TensorLeaf[] => [
    { kind: "x", index, bits },
    ...(index < d.length ? [{ kind: "d" as const, index, bits: d[index] }] : []),
  ]);
}

/** What checking one step says; undefined where the evidence is refused before the network. */
async function findingOf(
  index: number,
  { run, checker, evidence, again }: {
    readonly run: CheatedRun;
    readonly checker: Checker;
    readonly evidence: Evidence;
    readonly again: readonly Uint16Array<ArrayBuffer>[];
  },
): Promise<StepFinding | undefined> {
  const { committed, source } = evidence;
  const network = {
    predict: () => Promise.resolve([again[index]]),
    decode: () => Promise.reject(new Error("the image is not looked at")),
  };
  try {
    const { steps: [finding], verdict } = await checkImageSteps({
      committed,
      level: 2,
      steps: [index],
      open: async (target) => {
        if (typeof target === "number" && run.withholds?.has(target)) throw withheld(target);
        const bytes = await openStep(source, committed.receipt, committed.plan, target);
        return checkOpening(bytes, committed, target);
      },
      network: {
        request: checker.request,
        engine: () => Promise.resolve(network),
        tolerance: checker.tolerance,
      },
    });
    return verdict === "invalid" ? undefined : finding;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function withheld(step: number): AppError {
  return new AppError("opening_withheld", `Cannot fetch steps/${step}: the miner has none`);
}

/**
 * What Subnet 30's rule compares: the committed next state, and its own from the same state. It is
 * given the right noise, which WOMBO's Subnet 30 did not draw.
 */
function latentCosine(
  { x, d }: CheatedRun,
  { olderPlan, request }: Checker,
  index: number,
  again: Uint16Array,
): number {
  const newest = (list: readonly Uint16Array[], from: number) =>
    list.slice(Math.max(0, from + 1 - MAX_REACH), from + 1).toReversed().map(fromHalf);
  const states = newest(x, index);
  const denoisedAgain = fromHalf(again);
  const { next } = stepFrom(olderPlan.rows[index], {
    states,
    denoised: newest(d, index - 1),
    prediction: denoisedAgain,
    seed: request.seed,
    index,
  });
  return finishResidual(residualSums({
    alpha: 1,
    state: states[0],
    denoised: fromHalf(d[index]),
    next: fromHalf(x[index + 1]),
    denoisedAgain,
    nextAgain: next,
  })).latentCosine;
}
