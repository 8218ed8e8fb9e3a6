import type { CheatFindings } from "../../core/adversary/mod.ts";
import type { Study } from "./study.ts";

/** A table's columns: their heads, and their cells. */
type Columns = Readonly<Record<string, (found: CheatFindings) => string>>;

const STEPS: Columns = {
  "steps": ({ steps, cheated }) => String(Math.round(steps * cheated)),
  "flagged": ({ flagged }) => percent(flagged),
  "x tol": ({ ratio }) => times(ratio.least),
  "cos v": ({ similarity }) => similarity.toFixed(3),
  "cos x": ({ latentCosine }) => latentCosine.toFixed(3),
  "AUC": ({ auc }) => auc.ours.toFixed(3),
  "older": ({ auc }) => auc.older.toFixed(3),
};

const IMAGES: Columns = {
  "1": ({ passes }) => percent(passes.drawn[1]),
  "3": ({ passes }) => percent(passes.drawn[3]),
  "5": ({ passes }) => percent(passes.drawn[5]),
  "1e-4: 1": ({ passes }) => percent(passes.atRate?.[1]),
  "3 ": ({ passes }) => percent(passes.atRate?.[3]),
  "5 ": ({ passes }) => percent(passes.atRate?.[5]),
  "older": ({ passes }) => percent(passes.older),
};

const PROFIT: Columns = {
  "calls": ({ calls }) => calls.toFixed(2),
  "work": ({ work }) => work.toFixed(2),
  "income": ({ income }) => income.ours.toFixed(3),
  "older": ({ income }) => income.older.toFixed(3),
};

const NAME_WIDTH = 36;
const CELL_WIDTH = 9;

/** What is seen of every practice, for a terminal of 100 columns. */
export function studyTable(study: Study): string {
  return [
    "Steps",
    ...table(STEPS, study),
    "steps: cheated ones. flagged: % of them. x tol: the least velocity error over its tolerance.",
    "cos v, cos x: cosines of velocities and of next states, on average. AUC: of the error over its",
    "tolerance, and older: of cos x, which the rule of WOMBO's Subnet 30 compares.",
    "",
    "Images that pass a check, in %",
    ...table(IMAGES, study),
    "1, 3, 5: steps drawn. 1e-4: with thresholds that reject one honest image in 10,000, by the",
    "machines besides the checker's. older: by Subnet 30's rule.",
    "",
    "Profit",
    ...table(PROFIT, study),
    "calls: through the network, counted; work: their price; income: expected weight, and the same by",
    "Subnet 30's rule. An honest miner's are 1.",
    ...driftTable(study),
    "",
    "The image's file, at level 3",
    ...study.files.map(({ name, format, verdict }) => line(`${format}: ${name}`, [verdict])),
    "refused: for its container; suspect: for its pixels or its length.",
  ].join("\n");
}

/** How soon what passes single checks is found by all of them together. */
function driftTable({ drift }: Study): string[] {
  if (drift.length === 0) return [];
  const row = ({ name, rates }: Study["drift"][number]) =>
    line(name, [5, 10, 20, 40].map((checks) => percent(rates[checks as keyof typeof rates])));
  return [
    "",
    "Drift: miners whose checks of three steps together are further off than honest ones, in %",
    line("after so many checks", ["5", "10", "20", "40"]),
    ...drift.map(row),
  ];
}

function table(columns: Columns, { honest, cheats, notCaught }: Study): string[] {
  const row = (found: CheatFindings) =>
    line(found.name, Object.values(columns).map((cell) => cell(found)));
  return [
    line("", Object.keys(columns)),
    ...honest.map(row),
    ...cheats.map(row),
    "Not caught, and not claimed to be:",
    ...notCaught.map(row),
  ];
}

export function line(name: string, cells: readonly string[]): string {
  return (name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join(""))
    .trimEnd();
}

export function percent(share: number | undefined): string {
  return share === undefined ? "-" : (100 * share).toFixed(1);
}

/** Refused evidence has no error to measure. */
function times(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(2) : "refused";
}
