import { AppError } from "../error.ts";
import type { GenerationRequest } from "../request/mod.ts";
import type { ImageEngine, SourceImages } from "../generation/mod.ts";
import type { RgbaImage } from "../image/mod.ts";
import type { Source } from "../schedule/mod.ts";
import { type OpeningTarget, type Receipt, sketchesOf, sourcesOf } from "../transcript/mod.ts";
import { openedLeaf, type ProvenOpening } from "./check_opening.ts";
import type { CheckedReceipt } from "./check_receipt.ts";
import type { CompareParent, ParentComparison } from "./check_parent.ts";
import { compareSource, type SourceComparison } from "./check_source.ts";
import { checkStep, compareStep, openedSource, passesStep, type StepCheck } from "./check_step.ts";
import type { Tolerance } from "../model/mod.ts";
import { checkSketches, passesSketches, type SketchCheck } from "./sketch_check.ts";
import { toleranceAt } from "./tolerance.ts";
import { type CheckedStep, type ImageComparison, judge, type Judgement } from "./verdict.ts";

/** How far a check goes: signatures and proofs, arithmetic, the network, the image. */
export type Level = 0 | 1 | 2 | 3;

/** What a check asks of an engine. Without `encode` the source of a run is not compared. */
export type CheckEngine =
  & Pick<ImageEngine, "predict" | "decode">
  & Partial<Pick<ImageEngine, "encode">>;

/** One image to check, and what the check needs. */
export interface ImageCheck {
  readonly committed: CheckedReceipt;
  readonly level: Level;
  /** Drawn after the receipt was in hand. */
  readonly steps: readonly number[];
  /** The miner's answer to a challenge, proven. */
  readonly open: (target: OpeningTarget) => Promise<ProvenOpening>;
  /** From level 2 on. */
  readonly network?: {
    /** The receipt's, decoded. */
    readonly request: GenerationRequest;
    /** Called once all that is cheaper holds: a model takes seconds to load. */
    readonly engine: () => Promise<CheckEngine>;
    readonly tolerance: Tolerance;
  };
  /**
   * The files that the request names, decoded and fitted, where the checker has them: control images for
   * level 2, without which it throws, and what the run started from for level 3.
   */
  readonly sources?: SourceImages;
  /** Where the checker has the parent: for level 3, with the sources. */
  readonly parent?: CompareParent;
  /**
   * The committed file, if there is one: fetched, and checked against receipt and leaf, once the
   * arithmetic holds.
   * @param last the opening with x_N, if there is one.
   */
  readonly image?: (last: ProvenOpening | undefined) => Promise<CommittedImage>;
}

/** A file that is the one that was committed to. */
export interface CommittedImage {
  /** Called at level 3, before anything that is dear. */
  readonly open: () => Promise<OpenImage>;
}

/** Its pixels, in the hands of what knows how they were encoded. */
export interface OpenImage {
  /** @param decoded of x_N; undefined where it is more than the decoder can hold. */
  readonly compare: (decoded: RgbaImage | undefined) => Promise<ImageComparison>;
}

/** The findings on one drawn step. */
export interface StepFinding {
  readonly step: number;
  /** From level 1 on. */
  readonly arithmetic?: StepCheck;
  /** From level 2 on. */
  readonly network?: CheckedStep["network"];
}

export interface ImageFindings extends Judgement {
  /**
   * How far all drawn steps were compared, whatever the result: 0 when none was opened. Level 3
   * needs the image as well.
   */
  readonly level: Level;
  /** x_0 against the seed's noise; from level 1 on. */
  readonly start?: StepCheck["start"];
  /** From level 1 on, where the receipt has sketches. */
  readonly sketches?: SketchCheck;
  readonly steps: readonly StepFinding[];
  readonly image?: ImageComparison;
  /** Of a run that starts from an image, where the checker has it. */
  readonly source?: SourceComparison;
  /** Of a run that goes on from another's image, where the checker has that. */
  readonly parent?: ParentComparison;
}

/**
 * The four checks of one image, cheapest first; dearer ones are left out once a cheaper one
 * fails. x_0 is always checked against the seed. All drawn steps are one batch for the network.
 * @throws what `open`, `image` and the engine throw.
 */
export async function checkImageSteps(check: ImageCheck): Promise<ImageFindings> {
  const openings = new Map<OpeningTarget, ProvenOpening>();
  for (const target of targetsOf(check)) openings.set(target, await check.open(target));
  const opened = openings.get("start");
  const source = opened && openedSource(opened);
  const checks = new Map<OpeningTarget, StepCheck>();
  if (check.level >= 1) {
    for (const [target, opening] of openings) checks.set(target, checkStep(opening, source));
  }
  const sketches = check.level >= 1 ? checkSketches([...openings.values()]) : undefined;
  const sound = [...checks.values()].every(passesStep) && passesSketches(sketches);
  const { network, image, source: compared, parent } = sound
    ? await compare(check, openings, source)
    : { network: [] };
  const found = check.steps.map((step, k): StepFinding => ({
    step,
    arithmetic: checks.get(step),
    network: network[k],
  }));
  const start = [...checks.values()].find((each) => each.start)?.start;
  return {
    ...{ start, sketches, steps: found, image, source: compared, level: levelOf(found, image) },
    ...{ parent, ...judge(checkedSteps(found, start), image, compared, sketches, parent) },
  };
}

interface Comparison {
  readonly network: readonly NonNullable<StepFinding["network"]>[];
  readonly image?: ImageComparison;
  readonly source?: SourceComparison;
  readonly parent?: ParentComparison;
}

/** The checks dearer than arithmetic: the file, then the network, then the decoder. */
async function compare(
  check: ImageCheck,
  openings: ReadonlyMap<OpeningTarget, ProvenOpening>,
  source: Source | undefined,
): Promise<Comparison> {
  const { committed, level, steps } = check;
  const name = `x.${committed.receipt.steps}`;
  const last = [...openings.values()].find(({ leaves }) => leaves.has(name));
  const file = await check.image?.(last);
  const image = level >= 3 ? await file?.open() : undefined;
  const engine = level >= 2 ? await check.network?.engine() : undefined;
  const parent = await check.parent?.(level >= 3 ? check.sources?.image : undefined);
  if (!engine) return { network: [], parent };
  const drawn = steps.flatMap((step) => openings.get(step) ?? []);
  const network = drawn.length ? await compareNetwork(check, engine, drawn, source) : [];
  const compared = {
    network,
    source: await compareStart(check, engine, source),
    parent,
  };
  if (!image || !last) return compared;
  return { ...compared, image: await compareImage(check, engine, { last, image }) };
}

function levelOf(found: readonly StepFinding[], image: ImageComparison | undefined): Level {
  if (found.length === 0 || !found.every(({ arithmetic }) => arithmetic)) return 0;
  if (!found.every(({ network }) => network)) return 1;
  return image ? 3 : 2;
}

/**
 * x_0 and x_N are among the leaves of the first and the last step; the sources come with the start
 * alone. x_N is for the image, and for the sketches: it is what all of them lead to.
 */
export function targetsOf(
  { committed: { receipt }, level, steps }: Pick<ImageCheck, "level" | "steps"> & {
    readonly committed: { readonly receipt: Receipt };
  },
): OpeningTarget[] {
  const fromSource = sourcesOf(receipt).length > 0;
  const takesEnd = level >= 3 || (level >= 1 && sketchesOf(receipt));
  return [
    ...(steps.includes(0) && !fromSource ? [] : ["start" as const]),
    ...steps,
    ...(!takesEnd || steps.includes(receipt.steps - 1) ? [] : ["end" as const]),
  ];
}

async function compareStart(
  { level, network, sources, committed: { receipt: { latent } } }: ImageCheck,
  engine: CheckEngine,
  source: Source | undefined,
): Promise<SourceComparison | undefined> {
  if (level < 3 || !network || !source || !sources?.image || !engine.encode) return undefined;
  const { request } = network;
  const { image, mask } = sources;
  const again = await engine.encode(request, image);
  const kept = source.kept && mask && await engine.encode(request, image, mask);
  return compareSource(source, sources, { latent: again, kept }, latent);
}

async function compareNetwork(
  { committed: { plan }, network, sources }: ImageCheck,
  engine: CheckEngine,
  drawn: readonly ProvenOpening[],
  source: Source | undefined,
): Promise<NonNullable<StepFinding["network"]>[]> {
  if (!network) return [];
  const states = drawn.flatMap((opening) =>
    typeof opening.target === "number"
      ? [{ index: opening.target, bits: openedLeaf(opening, "x", opening.target) }]
      : []
  );
  const given = { controls: sources?.controls, ...(source?.kept && { source }) };
  const again = await engine.predict(network.request, states, given);
  return states.map(({ index }, k) => ({
    residual: compareStep(drawn[k], again[k], source),
    tolerance: toleranceAt(network.tolerance, plan.rows[index]),
  }));
}

async function compareImage(
  { committed: { receipt }, network }: ImageCheck,
  engine: CheckEngine,
  { last, image }: { readonly last: ProvenOpening; readonly image: OpenImage },
): Promise<ImageComparison | undefined> {
  if (!network) return undefined;
  const bits = openedLeaf(last, "x", receipt.steps);
  return await image.compare(await decode(engine, network.request, bits));
}

/** @returns undefined where a state that the miner chose is more than the decoder can hold. */
async function decode(
  engine: CheckEngine,
  request: GenerationRequest,
  bits: Uint16Array<ArrayBufferLike>,
): Promise<RgbaImage | undefined> {
  try {
    return await engine.decode(request, bits);
  } catch (error) {
    if (error instanceof AppError && error.code === "not_finite") return undefined;
    throw error;
  }
}

function checkedSteps(found: readonly StepFinding[], start: StepCheck["start"]): CheckedStep[] {
  const steps = found.flatMap(({ arithmetic, network }) =>
    arithmetic ? [{ arithmetic, network }] : []
  );
  return [...(start ? [{ arithmetic: { start } }] : []), ...steps];
}
