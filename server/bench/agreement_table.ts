import { summarize } from "../../core/bench/mod.ts";

/** The steps of a run made on one host, as another predicts them. */
export interface AgreementLine {
  readonly maker: string;
  readonly checker: string;
  /** |v - v'| / |v'| of each step, of the predictions as they leave the network and guidance. */
  readonly float32: readonly number[];
  /** The same of both rounded to float16, as a miner commits them. */
  readonly float16: readonly number[];
}

const CELL = 11;

/** A line a pair of hosts. */
export function agreementTable(lines: readonly AgreementLine[]): string {
  const pairs = [...Map.groupBy(lines, ({ maker, checker }) => `${maker} -> ${checker}`)];
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(18) + cells.map((cell) => cell.padStart(CELL)).join("");
  return [
    "Velocity error |v - v'| / |v'| of single steps, made on one host and predicted on another",
    line("", ["", "float32", "", "float16", ""]),
    line("made -> checked", ["steps", "median", "largest", "median", "largest"]),
    ...pairs.map(([pair, own]) => {
      const [exact, rounded] = [own.flatMap((l) => l.float32), own.flatMap((l) => l.float16)];
      return line(pair, [String(exact.length), ...figuresOf(exact), ...figuresOf(rounded)]);
    }),
    "float16: both predictions rounded, as a miner commits them",
  ].join("\n");
}

function figuresOf(errors: readonly number[]): string[] {
  return [summarize(errors).median, Math.max(...errors)].map((error) => error.toExponential(1));
}
