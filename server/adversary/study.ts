import {
  type Cheat,
  type CheatFindings,
  type DriftRates,
  driftRates,
  type ExaminedRun,
  examineFiles,
  type FileFinding,
  findingsOf,
  honest,
  imprecise,
  type Thresholds,
  thresholdsOf,
  zoo,
} from "../../core/adversary/mod.ts";
import type { HonestTail } from "../../core/verifier/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import type { StudyJournal } from "./journal.ts";
import type { LabBench, Sizing } from "./lab_bench.ts";

/** The findings on every practice. */
export interface Study {
  /** Honest miners by the machine that they used; `cpu` is the checker's own. */
  readonly honest: readonly CheatFindings[];
  readonly cheats: readonly CheatFindings[];
  /** Tried, and not claimed to be caught. */
  readonly notCaught: readonly CheatFindings[];
  /** Files that show or carry something else than the image that was computed. */
  readonly files: readonly FileFinding[];
  /** Velocity errors that reject one honest image in 10,000; undefined without other machines. */
  readonly thresholds: Thresholds | undefined;
  /** How soon all checks together show what single ones do not; none without a null to compare with. */
  readonly drift: readonly Found[];
}

/** A practice, and the share of its miners that are drifting after so many checks. */
interface Found {
  readonly name: string;
  readonly rates: DriftRates;
}

/** No practice is tried more often, however few of its steps are cheated. */
const MAX_RUNS = 5000;

/**
 * @param makers honest machines besides the checker's own, each making as many images as `runs`.
 * @param tail what the sequential test takes for honest.
 * @param journal what is known already, and takes what is found.
 * @param onProgress called with the name of each practice tried, its number from 1 on, and the total.
 */
export async function studyCheats(
  bench: LabBench,
  sizing: Sizing,
  makers: ReadonlyMap<string, ImageEngine>,
  tail: HonestTail | undefined,
  journal: StudyJournal,
  onProgress: (name: string, done: number, total: number) => void,
): Promise<Study> {
  const runs = Array.from({ length: sizing.runs }, (_, run) => run);
  const total = 1 + makers.size + zoo.length + imprecise.length;
  let done = 0;
  const report = (name: string) => onProgress(name, ++done, total);
  const own = await inTurn(
    runs,
    (run) => journal.examined(honest.name, run, () => bench.try(honest, sizing, run)),
  );
  report(honest.name);
  const others: [string, ExaminedRun[]][] = [];
  for (const [name, maker] of makers) {
    const practice = `honest on ${name}`;
    const made = await inTurn(
      runs,
      (run) => journal.examined(practice, run, () => bench.check(maker, sizing, run)),
    );
    others.push([name, made]);
    report(practice);
  }
  const elsewhere = others.flatMap(([, made]) => made.flatMap((run) => run.sights));
  const thresholds = thresholdsOf(elsewhere, sizing.steps);
  const against = { all: [...own.flatMap((run) => run.sights), ...elsewhere], thresholds };
  const drift: Found[] = [];
  const follow = (name: string, made: readonly ExaminedRun[]) => {
    if (tail) drift.push({ name, rates: driftRates(made, tail) });
  };
  for (const [name, made] of others) follow(`honest, on ${name}`, made);
  const find = async (cheat: Cheat) => {
    const made = await tryOften(cheat, bench, sizing, journal);
    report(cheat.name);
    if (imprecise.includes(cheat)) follow(cheat.name, made);
    return findingsOf(cheat, made, against);
  };
  return {
    honest: [["cpu", own] as const, ...others].map(([name, made]) =>
      findingsOf({ name: `honest, on ${name}`, saves: honest.saves }, made, against)
    ),
    cheats: await inTurn(zoo, find),
    notCaught: await inTurn(imprecise, find),
    files: await examineFiles(await bench.image(sizing)),
    thresholds,
    drift,
  };
}

/** Until enough runs were made and enough cheated steps seen; with all that is known. */
async function tryOften(
  cheat: Cheat,
  bench: LabBench,
  sizing: Sizing,
  journal: StudyJournal,
): Promise<ExaminedRun[]> {
  const made: ExaminedRun[] = [];
  let seen = 0;
  while (
    made.length < sizing.runs || (seen < sizing.samples && made.length < MAX_RUNS) ||
    journal.has(cheat.name, made.length)
  ) {
    const k = made.length;
    const run = await journal.examined(cheat.name, k, () => bench.try(cheat, sizing, k));
    seen += run.sights.filter(({ cheated }) => cheated).length;
    made.push(run);
  }
  return made;
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
