/** A miner as the demonstration shows it. */
export interface MinerRow {
  readonly name: string;
  readonly uid: number;
  readonly rps: number;
  readonly similarity: number;
  readonly velocityError: number;
  readonly checks: number;
  readonly served: number;
  readonly failed: number;
  /** What it was caught at, or nothing yet. */
  readonly why: string | undefined;
  /** Whether its checks together are further off than honest ones. */
  readonly drifting?: boolean;
  /** Of the weights that the last epoch paid by, in percent. */
  readonly weight: number;
  /** By the chain, in percent. */
  readonly incentive: number;
  /** rao of the last epoch. */
  readonly emission: number;
}

const COLUMNS: readonly (readonly [name: string, show: (row: MinerRow) => string])[] = [
  ["uid", ({ uid }) => String(uid)],
  ["images/s", ({ rps }) => number(rps, 2)],
  ["similarity", ({ similarity }) => number(similarity, 5)],
  ["velocity error", ({ velocityError }) => exponent(velocityError)],
  ["checks", ({ checks }) => String(checks)],
  ["served", ({ served }) => String(served)],
  ["failed", ({ failed }) => String(failed)],
  ["verdict", verdictOf],
  ["weight", ({ weight }) => `${number(weight, 1)} %`],
  ["incentive", ({ incentive }) => `${number(incentive, 1)} %`],
  ["TAO earned", ({ emission }) => number(emission / 1e9, 3)],
];

/** Columns to leave out first where there is no room for all. */
const SPARED = ["velocity error", "incentive", "checks", "failed", "served"];

/**
 * Rows with a head, columns aligned.
 * @param width that it may have, in characters, as far as leaving columns out makes it fit.
 */
export function minerTable(rows: readonly MinerRow[], width = Infinity): string {
  let columns = COLUMNS;
  let text = tableOf(rows, columns);
  for (const spared of SPARED) {
    if (text.indexOf("\n") <= width) break;
    columns = columns.filter(([name]) => name !== spared);
    text = tableOf(rows, columns);
  }
  return text;
}

function verdictOf({ checks, why, drifting }: MinerRow): string {
  if (why !== undefined) return why.split(":")[0];
  if (drifting) return "drifting";
  return checks > 0 ? "honest" : "-";
}

function tableOf(rows: readonly MinerRow[], columns: typeof COLUMNS): string {
  const cells = [
    ["miner", ...columns.map(([name]) => name)],
    ...rows.map((row) => [row.name, ...columns.map(([, show]) => show(row))]),
  ];
  const widths = cells[0].map((_, k) => Math.max(...cells.map((row) => row[k].length)));
  return cells.map((row) =>
    row.map((cell, k) => k === 0 ? cell.padEnd(widths[k]) : cell.padStart(widths[k])).join("  ")
  ).join("\n");
}

function number(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : "-";
}

function exponent(value: number): string {
  return Number.isFinite(value) ? value.toExponential(1) : "-";
}
