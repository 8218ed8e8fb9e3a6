import type { ExaminedInputs, InputKind, SourceCheat } from "../../core/adversary/mod.ts";
import type { Verdict } from "../../core/verifier/mod.ts";
import { line, percent } from "./table.ts";

/** What was found of the runs that start from images. */
export interface InputsStudy {
  readonly order: { readonly steps: number; readonly size: number };
  readonly cheats: readonly TriedCheat[];
  readonly honest: readonly HonestChecks[];
}

export interface TriedCheat {
  readonly cheat: Pick<SourceCheat, "name" | "kind">;
  readonly tried: readonly ExaminedInputs[];
}

/** Honest checks of a kind. */
export interface HonestChecks {
  readonly kind: InputKind;
  /** That made the images; the CPU checks. */
  readonly machine: string;
  readonly checked: readonly { readonly verdict: Verdict; readonly reasons: readonly string[] }[];
}

export function inputsTable({ cheats, honest }: InputsStudy): string {
  return [
    line("Cheats of runs that start from images", ["runs", "flagged", "passes", "seen by"]),
    ...cheats.map(cheatLine),
    "flagged: % of their steps. passes: % of checks of three steps at level 3. seen by: what showed it:",
    "receipt: level 0; network: level 2; source, mask, parent: level 3.",
    "",
    line("Honest checks of three steps, level 3", ["checks", "rejected"]),
    ...honest.map(({ kind, machine, checked }) =>
      line(`${kind}, made on ${machine}`, [String(checked.length), String(rejected(checked))])
    ),
    line("all", [
      String(honest.reduce((sum, { checked }) => sum + checked.length, 0)),
      String(honest.reduce((sum, { checked }) => sum + rejected(checked), 0)),
    ]),
  ].join("\n");
}

function cheatLine({ cheat: { name }, tried }: TriedCheat): string {
  const mean = (value: (run: ExaminedInputs) => number) =>
    percent(tried.reduce((sum, run) => sum + value(run), 0) / tried.length);
  const seen = [...new Set(tried.map((run) => run.seen))].join("/");
  const unseen = tried.every(({ flagged }) => flagged === 0);
  const flagged = unseen ? "-" : mean((run) => run.flagged / run.steps);
  return line(name, [String(tried.length), flagged, mean(({ passes }) => passes), seen]);
}

function rejected(checked: HonestChecks["checked"]): number {
  return checked.filter(({ verdict }) => verdict !== "honest").length;
}
