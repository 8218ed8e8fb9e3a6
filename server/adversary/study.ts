import {
  type Cheat,
  type CheatFindings,
  type ExaminedRun,
  findingsOf,
  float16Weights,
  honest,
  zoo,
} from "../../core/adversary/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import type { LabBench, Sizing } from "./lab_bench.ts";

/** What is found when every practice is tried. */
export interface Study {
  /** Honest miners by the machine that they used; `cpu` is the checker's own. */
  readonly honest: readonly CheatFindings[];
  readonly cheats: readonly CheatFindings[];
  /** Tried, and not claimed to be caught. */
  readonly notCaught: readonly CheatFindings[];
}

/**
 * @param makers honest machines besides the checker's own.
 * @param told called with the name of what is tried next.
 */
export async function studyCheats(
  bench: LabBench,
  sizing: Sizing,
  makers: ReadonlyMap<string, ImageEngine>,
  told: (name: string) => void,
): Promise<Study> {
  const runs = Array.from({ length: sizing.runs }, (_, run) => run);
  const tryAll = async (cheat: Cheat): Promise<ExaminedRun[]> => {
    told(cheat.name);
    return await inTurn(runs, (run) => bench.try(cheat, sizing, run));
  };
  const own = await tryAll(honest);
  const others: [string, ExaminedRun[]][] = [];
  for (const [name, maker] of makers) {
    told(`honest on ${name}`);
    others.push([name, await inTurn(runs, (run) => bench.check(maker, sizing, run))]);
  }
  const sights = [own, ...others.map(([, made]) => made)].flat().flatMap((run) => run.sights);
  const find = async (cheat: Cheat) => findingsOf(cheat, await tryAll(cheat), sights);
  return {
    honest: [["cpu", own] as const, ...others].map(([name, made]) =>
      findingsOf({ name: `honest, on ${name}`, saves: honest.saves }, made, sights)
    ),
    cheats: await inTurn(zoo, find),
    notCaught: [await find(float16Weights)],
  };
}

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
