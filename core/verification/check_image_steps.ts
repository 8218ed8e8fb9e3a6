import type { GenerationRequest, ImageEngine, RgbaImage } from "../generation/mod.ts";
import type { OpeningTarget } from "../transcript/mod.ts";
import { checkOpening, openedLeaf, type ProvenOpening } from "./check_opening.ts";
import type { CheckedReceipt } from "./check_receipt.ts";
import { checkStep, compareStep, passesStep, type StepCheck } from "./check_step.ts";
import { psnr } from "./psnr.ts";
import { type Tolerance, toleranceAt } from "./tolerance.ts";
import { type ImageEvidence, judge, type Judgement, type StepEvidence } from "./verdict.ts";

/** How far a check goes: signatures and proofs, arithmetic, the network, the image. */
export type Level = 0 | 1 | 2 | 3;

/** One image to check, with all that it takes. */
export interface ImageCheck {
  readonly committed: CheckedReceipt;
  readonly level: Level;
  /** Drawn after the receipt was in hand. */
  readonly steps: readonly number[];
  /** The miner's answer to a challenge, as he sent it. */
  readonly open: (target: OpeningTarget) => Promise<Uint8Array>;
  /** From level 2 on. */
  readonly network?: {
    /** The receipt's, decoded. */
    readonly request: GenerationRequest;
    /** Called once all that is cheaper holds: a model takes seconds to load. */
    readonly engine: () => Promise<Pick<ImageEngine, "predict" | "decode">>;
    readonly tolerance: Tolerance;
  };
  /** At level 3: the pixels of the committed file, and the least PSNR of its encoding. */
  readonly image?: { readonly pixels: RgbaImage; readonly floor: number };
}

/** What was found of one drawn step. */
export interface StepFinding {
  readonly step: number;
  /** From level 1 on. */
  readonly arithmetic?: StepCheck;
  /** From level 2 on. */
  readonly network?: StepEvidence["network"];
}

export interface ImageFindings extends Judgement {
  /** x_0 against the seed's noise; from level 1 on. */
  readonly start?: StepCheck["start"];
  readonly steps: readonly StepFinding[];
  readonly image?: ImageEvidence;
}

/**
 * The four checks of one image, cheapest first; what is dearer is left out once something cheaper
 * does not hold. Always holds x_0 against the seed. All drawn steps are one batch for the network.
 * @throws AppError as `checkOpening`: such an opening is a failed check; and what the engine throws.
 */
export async function checkImageSteps(check: ImageCheck): Promise<ImageFindings> {
  const { committed, level, steps } = check;
  const openings = new Map<OpeningTarget, ProvenOpening>();
  for (const target of targetsOf(check)) {
    openings.set(target, checkOpening(await check.open(target), committed, target));
  }
  const checks = new Map<OpeningTarget, StepCheck>();
  if (level >= 1) { for (const [target, each] of openings) checks.set(target, checkStep(each)); }
  const sound = [...checks.values()].every(passesStep);
  const engine = sound && level >= 2 ? await check.network?.engine() : undefined;
  const drawn = steps.flatMap((step) => openings.get(step) ?? []);
  const network = engine ? await compareNetwork(check, engine, drawn) : [];
  const image = engine && await compareImage(check, engine, [...openings.values()]);
  const found = steps.map((step, k): StepFinding => ({
    step,
    arithmetic: checks.get(step),
    network: network[k],
  }));
  const start = [...checks.values()].find((each) => each.start)?.start;
  return { start, steps: found, image, ...judge(evidenceOf(found, start), image) };
}

/** x_0 and x_N are among the leaves of the first and the last step. */
function targetsOf({ committed: { receipt }, level, steps }: ImageCheck): OpeningTarget[] {
  return [
    ...(steps.includes(0) ? [] : ["start" as const]),
    ...steps,
    ...(level < 3 || steps.includes(receipt.steps - 1) ? [] : ["end" as const]),
  ];
}

type Engine = Pick<ImageEngine, "predict" | "decode">;

async function compareNetwork(
  { committed: { plan }, network }: ImageCheck,
  engine: Engine,
  drawn: readonly ProvenOpening[],
): Promise<NonNullable<StepFinding["network"]>[]> {
  if (!network) return [];
  const states = drawn.flatMap((opening) =>
    typeof opening.target === "number"
      ? [{ index: opening.target, bits: openedLeaf(opening, "x", opening.target) }]
      : []
  );
  const again = await engine.predict(network.request, states);
  return states.map(({ index }, k) => ({
    residual: compareStep(drawn[k], again[k]),
    tolerance: toleranceAt(network.tolerance, plan.rows[index]),
  }));
}

async function compareImage(
  { committed: { receipt }, level, network, image }: ImageCheck,
  engine: Engine,
  openings: readonly ProvenOpening[],
): Promise<ImageEvidence | undefined> {
  const last = openings.find(({ leaves }) => leaves.has(`x.${receipt.steps}`));
  if (level < 3 || !network || !image || !last) return undefined;
  const decoded = await engine.decode(network.request, openedLeaf(last, "x", receipt.steps));
  const { width, height } = image.pixels;
  const same = width === decoded.width && height === decoded.height;
  return { psnr: same ? psnr(image.pixels, decoded) : 0, floor: image.floor };
}

function evidenceOf(found: readonly StepFinding[], start: StepCheck["start"]): StepEvidence[] {
  const steps = found.flatMap(({ arithmetic, network }) =>
    arithmetic ? [{ arithmetic, network }] : []
  );
  return [...(start ? [{ arithmetic: { start } }] : []), ...steps];
}
