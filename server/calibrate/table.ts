import type { StepAgreement } from "./agreement.ts";

/** A line a pair of engines: how many steps, and their velocity errors. */
export function agreementTable(steps: readonly StepAgreement[]): string {
  const pairs = [...Map.groupBy(steps, ({ maker, checker }) => `${maker} -> ${checker}`)];
  const width = Math.max(16, ...pairs.map(([pair]) => pair.length)) + 2;
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(width) + cells.map((cell) => cell.padStart(9)).join("");
  return [
    "Velocity error |v - v'| / |v'| of single steps, made on one engine and predicted on another",
    line("made -> checked", ["steps", "median", "p99", "largest", "late"]),
    ...pairs.map(([pair, own]) => line(pair, figuresOf(own))),
    "late: the largest of the last quarter of the steps, where the velocity divides by little noise",
  ].join("\n");
}

function figuresOf(steps: readonly StepAgreement[]): string[] {
  const late = steps.filter(({ index, steps }) => index >= 0.75 * steps);
  const errors = steps.map(({ velocityError }) => velocityError);
  return [
    String(steps.length),
    ...[
      quantile(errors, 0.5),
      quantile(errors, 0.99),
      quantile(errors, 1),
      Math.max(...late.map(({ velocityError }) => velocityError)),
    ].map((error) => error.toExponential(1)),
  ];
}

/** The smallest value that at least this share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
