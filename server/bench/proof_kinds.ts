import {
  askedRun,
  INPUT_KINDS,
  type InputKind,
  type InputLab,
  type InputOrder,
  runOf,
  serveRun,
} from "../../core/adversary/mod.ts";
import { formatMs, summarize } from "../../core/bench/mod.ts";
import type { SourceImages } from "../../core/generation/mod.ts";
import { encodeImage } from "../../core/image/mod.ts";
import { openingBytes, openingSpec } from "../../core/transcript/mod.ts";
import { drawSteps, privateWords, targetsOf } from "../../core/verifier/mod.ts";

/** What a check of some steps costs, for one kind of run. */
export interface KindFigures {
  readonly kind: InputKind;
  /** Pixels of a side. */
  readonly size: number;
  /** That the run takes: from an image fewer than are asked for. */
  readonly steps: number;
  /** Milliseconds of the network in a run, a step. */
  readonly stepMs: number;
  /** Milliseconds of the network in the check, and as a share of a run that takes all steps. */
  readonly checkMs: number;
  readonly share: number;
  /** Milliseconds of the VAE in the check: the source encoded, and the last state decoded. */
  readonly encodeMs: number;
  readonly decodeMs: number;
  /** Of all openings, and of the files that the request names, as PNG. */
  readonly bytes: number;
  readonly inputBytes: number;
}

/** @param drawn how many steps are checked. */
export async function measureKinds(
  order: InputOrder,
  drawn: number,
  rounds: number,
  lab: InputLab,
): Promise<KindFigures[]> {
  const found: KindFigures[] = [];
  for (const kind of INPUT_KINDS) {
    found.push(await measureKind(kind, order, { drawn, rounds }, lab));
  }
  return found;
}

async function measureKind(
  kind: InputKind,
  order: InputOrder,
  { drawn, rounds }: { readonly drawn: number; readonly rounds: number },
  lab: InputLab,
): Promise<KindFigures> {
  const { engine } = lab;
  const asked = await askedRun(kind, order, lab);
  const { request, files } = asked;
  const run = await runOf(engine, asked);
  const { generation: { plan, timings }, leaves } = run;
  const { receipt } = await serveRun(run, lab.model, lab.miner);
  const steps = drawSteps(plan.rows.length, Math.min(drawn, plan.rows.length), WORDS);
  const bitsOf = (index: number) =>
    leaves.find((leaf) => leaf.kind === "x" && leaf.index === index)?.bits ?? new Uint16Array();
  const states = steps.map((index) => ({ index, bits: bitsOf(index) }));
  const check = await median(
    rounds,
    () => engine.predict(request, states, { controls: files?.controls }),
  );
  const { image } = files ?? {};
  const encodeMs = image ? await median(rounds, () => engine.encode(request, image)) : 0;
  const decodeMs = await median(rounds, () => engine.decode(request, bitsOf(plan.rows.length)));
  const stepMs = summarize(timings.networkMs).median;
  const targets = targetsOf({ committed: { receipt }, level: 3, steps });
  return {
    ...{ kind, size: request.width, steps: plan.rows.length, stepMs },
    ...{ checkMs: check, share: check / (stepMs * request.steps), encodeMs, decodeMs },
    bytes: targets.reduce<number>(
      (sum, at) => sum + openingBytes(openingSpec(receipt, plan, at)),
      0,
    ),
    inputBytes: await bytesOf(files),
  };
}

const WORDS = privateWords((count) => crypto.getRandomValues(new Uint8Array(count)));

/** Milliseconds. The first round, which may compile, does not count. */
async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await work();
    samples.push(performance.now() - start);
  }
  return summarize(samples.slice(1)).median;
}

async function bytesOf({ image, mask, controls = [] }: SourceImages = {}): Promise<number> {
  let bytes = 0;
  for (const each of [image, mask, ...controls]) {
    if (each) bytes += (await encodeImage(each, "png")).length;
  }
  return bytes;
}

export function kindsTable(kinds: readonly KindFigures[], drawn: number): string[] {
  const row = (cells: readonly string[]) =>
    cells[0].padEnd(18) + cells.slice(1).map((cell) => cell.padStart(12)).join("");
  return [
    `A check of ${drawn} steps at level 3, by what the run starts from`,
    row(["", "steps", "a step", "network", "share", "encode", "decode", "bytes", "files"]),
    ...kinds.map((found) =>
      row([
        `${found.kind}, ${found.size}`,
        ...[String(found.steps), formatMs(found.stepMs), formatMs(found.checkMs)],
        `${(100 * found.share).toFixed(1)} %`,
        ...[found.encodeMs, found.decodeMs].map((ms) => ms === 0 ? "-" : formatMs(ms)),
        ...[found.bytes, found.inputBytes].map(String),
      ])
    ),
    "share: of the network's time in a run of all 30 steps of that kind and size; at most 12.5 %. encode,",
    "decode: the VAE's part, once a check. files: those that the request names, as PNG.",
  ];
}
