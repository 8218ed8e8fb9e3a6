import type { InputOrder } from "../../core/adversary/mod.ts";
import { bytesToHex } from "@noble/hashes/utils.js";
import { Command } from "commander";
import { makeReceipts, openStep } from "../../core/prover/mod.ts";
import { openHotkey } from "../../core/keys/mod.ts";
import { decodeRequest } from "../../core/request/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { stepLatent } from "../../core/denoise/mod.ts";
import { formatMs, summarize } from "../../core/bench/mod.ts";
import { roundHalf, toHalf } from "../../core/half.ts";
import { gaussianNoise } from "../../core/noise/mod.ts";
import { type Plan, planFromConfig, schedulerConfigFromName } from "../../core/schedule/mod.ts";
import {
  type Commitment,
  decodeReceipt,
  encodeReceipt,
  type Hash,
  leafCount,
  leafHash,
  merkleRoot,
  openingBytes,
  openingSpec,
  type Receipt,
  sketchRun,
  stepRun,
} from "../../core/transcript/mod.ts";
import {
  checkOpening,
  checkReceipt,
  checkStep,
  drawSteps,
  passesStep,
  privateWords,
} from "../../core/verifier/mod.ts";
import { sideFlag, wholeFlag } from "../cli/mod.ts";
import { computeOption, openCompute, parseComputeKind } from "../compute/mod.ts";
import { openKnownModel } from "../models/mod.ts";
import { type KindFigures, kindsTable, measureKinds } from "./proof_kinds.ts";

const STEPS = 30;
const DRAWN = 3;
/** The subnet's: of second order. */
const SCHEDULER = "sde-dpmsolver++";
const BETAS = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: "scaled_linear" };
/** Of 1024x1024 pixels. */
const LATENT = [4, 128, 128] as const;
/** Upper bounds that the design sets. */
const MAX = { ms: 50, share: 0.12, bytes: 525_500 } as const;

interface ProofFlags {
  readonly model: string;
  readonly compute: string;
  readonly size: string;
  readonly rounds: string;
  readonly kinds: boolean;
  readonly json: boolean;
}

export function proofCommand(): Command {
  return new Command("proof")
    .description("What a check costs: time of levels 0 and 1, network time of level 2, bytes.")
    .option("--model <source>", "as for generate", "embedded")
    .addOption(computeOption("what runs the network", "cpu"))
    .option("--size <pixels>", "of the image's side, for the network", "256")
    .option("--rounds <n>", "samples of each", "5")
    .option("--kinds", "and for runs from images, masks, edges and parents", false)
    .option("--json", "print one JSON object", false)
    .action(benchProof);
}

async function benchProof(flags: ProofFlags): Promise<void> {
  const rounds = wholeFlag("--rounds", flags.rounds, 1, 1000);
  const size = sideFlag("--size", flags.size, 64, 4096);
  await using stack = new AsyncDisposableStack();
  const host = stack.use(await openCompute(parseComputeKind(flags.compute)));
  const model = await openKnownModel(flags.model);
  const engine = stack.use(await host.open(model.files));
  const lab = { engine, model, miner: openHotkey(undefined) };
  const kinds = flags.kinds ? await measureKinds(orderOf(size), DRAWN, rounds, lab) : undefined;
  const figures = {
    ...await measureStep(rounds),
    network: {
      host: host.name,
      model: engine.model,
      size,
      ...await measureShare(engine, size, rounds),
    },
    ...(kinds && { kinds }),
  };
  console.log(flags.json ? JSON.stringify({ steps: STEPS, ...figures }, null, 2) : table(figures));
}

function orderOf(size: number): InputOrder {
  return {
    ...{ prompt: "a golden tau symbol", scheduler: SCHEDULER, strength: 0.6, factor: 2 },
    ...{ width: size, height: size, steps: STEPS, guidanceScale: 5, seed: SEED },
  };
}

/** Milliseconds, medians of the rounds, of one step of a signed run at 1024x1024. */
interface StepFigures {
  /** The receipt's bytes, its signature and plan. */
  readonly receiptMs: number;
  /** Level 0: the opening's header and proof. */
  readonly openingMs: number;
  /** Level 1. */
  readonly arithmeticMs: number;
  readonly bytes: number;
}

async function measureStep(rounds: number): Promise<StepFigures> {
  const { receipt, plan, step, opening } = await openedStep();
  const file = encodeReceipt(receipt);
  const samples: [number, number, number][] = [];
  // The first round compiles.
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    const committed = checkReceipt(decodeReceipt(file), { plan });
    const signed = performance.now();
    const proven = checkOpening(opening, committed, step);
    const opened = performance.now();
    if (!passesStep(checkStep(proven))) throw new Error("an honest step does not hold");
    samples.push([signed - start, opened - signed, performance.now() - opened]);
  }
  const median = (k: number) => summarize(samples.slice(1).map((each) => each[k])).median;
  return {
    ...{ receiptMs: median(0), openingMs: median(1), arithmeticMs: median(2) },
    bytes: Math.max(...plan.rows.map((_, i) => openingBytes(openingSpec(receipt, plan, i)))),
  };
}

interface OpenedStep {
  readonly receipt: Receipt;
  readonly plan: Plan;
  readonly step: number;
  readonly opening: Uint8Array;
}

/** A step whose leaves hold, in a tree whose other leaves are not opened. */
async function openedStep(): Promise<OpenedStep> {
  const plan = planFromConfig(schedulerConfigFromName(SCHEDULER, BETAS), STEPS);
  const step = STEPS / 2;
  const run = stepRun(step, plan.rows[step]);
  const leaves = new Map(honestStep(plan, step).map((leaf, k) => [run.first + k, leaf]));
  const hashes = Array.from(
    { length: leafCount(STEPS) },
    (_, position): Hash => leafHash(position, leaves.get(position) ?? new Uint8Array()),
  );
  const root = merkleRoot(hashes);
  const predictions = plan.rows.map((_, i) => {
    const bytes = leaves.get(2 * i + 1);
    return bytes ? new Uint16Array(bytes.buffer) : new Uint16Array(leafLength());
  });
  const sketch = sketchRun(bytesToHex(root), predictions);
  const receipt = await signedReceipt(plan, { root, hashes, sketch });
  const leaf = (position: number) => Promise.resolve(leaves.get(position) ?? new Uint8Array());
  return { receipt, plan, step, opening: await openStep({ hashes, leaf }, receipt, plan, step) };
}

function leafLength(): number {
  return LATENT.reduce((product, side) => product * side, 1);
}

/** D_{i-1}, x_i, D_i, x_{i+1}: noise, and what the plan makes of it. */
function honestStep(plan: Plan, step: number): Uint8Array<ArrayBuffer>[] {
  const length = leafLength();
  const [before, state, denoised] = [0, 1, 2].map((k) =>
    roundHalf(gaussianNoise(BigInt(100 + k), 0, length))
  );
  const { next } = stepLatent({ ...plan.rows[step], fromX: 0, fromOut: 1 }, {
    ...{ states: [state], denoised: [before], output: denoised },
    ...{
      negativeOutput: undefined,
      guidanceScale: 1,
      noise: () => gaussianNoise(SEED, step + 1, length),
    },
  });
  return [before, state, denoised, next].map((values) => new Uint8Array(toHalf(values).buffer));
}

const SEED = 7n;

async function signedReceipt(plan: Plan, commitment: Commitment): Promise<Receipt> {
  const [, height, width] = LATENT.map((side) => 8 * side);
  const request = decodeRequest(
    { prompt: "a tau symbol" },
    { width, height, steps: STEPS, guidanceScale: 5, seed: SEED },
  );
  const [receipt] = await makeReceipts({
    generation: { request, plan, latentDims: LATENT },
    model: { id: "bench", manifest: "0".repeat(64), precision: "float32" },
    backend: { host: "cpu", adapter: "cpu" },
    format: "png",
    files: [new Uint8Array(1)],
    commitments: [commitment],
    times: { started: 0, finished: 0 },
  }, openHotkey(undefined));
  return receipt;
}

/** Milliseconds in the network: of a generation, and of a check that predicts some of its steps. */
interface ShareFigures {
  readonly generationMs: number;
  readonly checkMs: number;
  /** Median of the rounds' own shares. */
  readonly share: number;
}

async function measureShare(
  engine: ImageEngine,
  size: number,
  rounds: number,
): Promise<ShareFigures> {
  const words = privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));
  const defaults = { width: size, height: size, steps: STEPS, guidanceScale: 5, seed: SEED };
  const request = decodeRequest(
    { prompt: "a golden tau symbol", scheduler: SCHEDULER },
    defaults,
  );
  const samples: { readonly made: number; readonly checked: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const states: Uint16Array[] = [];
    const { timings } = await engine.generate(request, {
      onLeaf: ({ kind, bits }) => kind === "x" && states.push(bits),
    });
    const drawn = drawSteps(STEPS, DRAWN, words).map((index) => ({ index, bits: states[index] }));
    const start = performance.now();
    await engine.predict(request, drawn);
    const made = timings.networkMs.reduce((sum, ms) => sum + ms, 0);
    samples.push({ made, checked: performance.now() - start });
  }
  const median = (value: (sample: typeof samples[number]) => number) =>
    summarize(samples.slice(1).map(value)).median;
  return {
    generationMs: median(({ made }) => made),
    checkMs: median(({ checked }) => checked),
    share: median(({ made, checked }) => checked / made),
  };
}

type Figures = StepFigures & {
  readonly kinds?: readonly KindFigures[];
  readonly network: ShareFigures & {
    readonly host: string;
    readonly model: string;
    readonly size: number;
  };
};

function table({ receiptMs, openingMs, arithmeticMs, bytes, network, kinds }: Figures): string {
  const { host, model, size, generationMs, checkMs, share } = network;
  const line = (what: string, value: string, max = "") =>
    (what.padEnd(48) + value.padStart(10) + max.padStart(18)).trimEnd();
  return [
    `One step of second order at 1024x1024, of ${STEPS}, on one core`,
    line("  receipt: canonical, signed, its plan", formatMs(receiptMs)),
    line("  level 0: four leaves and their proof", formatMs(openingMs)),
    line("  level 1: x_{i+1} is the plan's combination", formatMs(arithmeticMs)),
    line("  levels 0 and 1", formatMs(openingMs + arithmeticMs), `at most ${MAX.ms} ms`),
    line("  bytes, proof included", String(bytes), `at most ${MAX.bytes}`),
    `Level 2 of ${model} at ${size}x${size} on ${host}`,
    line(`  a generation of ${STEPS} steps, in the network`, formatMs(generationMs)),
    line(`  a check of ${DRAWN} of them`, formatMs(checkMs)),
    line("  share", `${(100 * share).toFixed(1)} %`, `at most ${100 * MAX.share} %`),
    ...(kinds ? kindsTable(kinds, DRAWN) : []),
  ].join("\n");
}
