import type { CheatFindings } from "../../core/adversary/mod.ts";
import type { Study } from "./study.ts";

const HEADS = [
  "work",
  "flagged",
  "least x tol",
  "similarity",
  "AUC",
  "older",
  "pass 1",
  "pass 3",
  "pass 5",
  "older",
  "income",
  "older",
];
const NAME_WIDTH = 38;

/** A line a practice, for the terminal. */
export function studyTable({ honest, cheats, notCaught }: Study): string {
  return [
    line("", HEADS),
    ...honest.map(rowOf),
    "",
    ...cheats.map(rowOf),
    "",
    "Not caught, and not claimed to be:",
    ...notCaught.map(rowOf),
    "",
    "work: machine time, honest = 1. flagged: of the cheated steps. x tol: velocity error over its",
    "tolerance. pass n: a checked image passes when n steps are drawn. income: expected weight over",
    "an honest miner's. older: the same by the rule of the system that we follow.",
  ].join("\n");
}

function rowOf(found: CheatFindings): string {
  const { drawn, older } = found.passes;
  return line(found.name, [
    found.work.toFixed(2),
    percent(found.flagged),
    ratio(found.ratio.least),
    found.similarity.toFixed(3),
    found.auc.ours.toFixed(3),
    found.auc.older.toFixed(3),
    percent(drawn[1]),
    percent(drawn[3]),
    percent(drawn[5]),
    percent(older),
    found.income.ours.toFixed(3),
    found.income.older.toFixed(3),
  ]);
}

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(12)).join("");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Refused evidence has no error to measure. */
function ratio(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(2) : "refused";
}
