import { z } from "zod";
import { AppError } from "../error.ts";
import { issueSentence } from "../json_decoding.ts";

/** JSON has no infinity. */
const number = z.union([z.number(), z.literal("Infinity").transform(() => Infinity)]);
const byDrawn = z.object({ 1: z.number(), 3: z.number(), 5: z.number() });

const practice = z.object({
  name: z.string(),
  runs: z.number(),
  steps: z.number(),
  /** Share of the steps. */
  cheated: z.number(),
  flagged: z.number(),
  ratio: z.object({ least: number, median: number }),
  passes: z.object({ drawn: byDrawn, atRate: byDrawn.optional(), older: z.number() }),
  income: z.object({ ours: z.number(), older: z.number() }),
});

const study = z.object({
  engines: z.record(z.string(), z.string()),
  sizing: z.object({
    runs: z.number(),
    samples: z.number(),
    steps: z.number(),
    size: z.number(),
    scheduler: z.string(),
    guidanceScale: z.number(),
  }),
  honest: z.array(practice),
  cheats: z.array(practice),
  notCaught: z.array(practice),
  files: z.array(z.object({ name: z.string(), format: z.string(), verdict: z.string() })),
  drift: z.array(z.object({
    name: z.string(),
    rates: z.object({ 5: z.number(), 10: z.number(), 20: z.number(), 40: z.number() }),
  })),
});

/** What `deno task adversary --write` keeps of a study, as far as it is shown to people. */
export type StoredStudy = z.infer<typeof study>;

/** What is kept of one practice. */
type StoredPractice = StoredStudy["cheats"][number];

/** @throws AppError `invalid_request` naming the field. */
export function decodeStudy(json: unknown): StoredStudy {
  const result = study.safeParse(json);
  if (result.success) return result.data;
  const why = issueSentence(result.error.issues[0], json);
  throw new AppError("invalid_request", `Cannot read the study: ${why}`, { cause: result.error });
}

/** A table for people, as text. */
export interface StudyPart {
  readonly title: string;
  /** What its figures are. */
  readonly words: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/**
 * What nobody should believe of the checks, with the figures that are known.
 * `core/adversary/NOT_CAUGHT.md` has each at length.
 */
export const LIMITS: readonly string[] = [
  "A check recomputes three steps of an image. One forged step that looks like its neighbours, noise " +
  "and all, before the last five, is found by one check of 28 where an image has 30 steps.",
  "A model that errs less than honest machines differ passes every single check. All checks of a " +
  "miner together show it, where there is a calibration record of the hardware that it claims.",
  "A receipt does not say whose machine computed it. Several hotkeys on one machine, and relays, earn " +
  "no more than honesty; nobody sees that they are there.",
  "The figures are of one small model, on a CPU and two software adapters. Another model has to be " +
  "calibrated and tried before its subnet takes it.",
  "An attestation is its signer's word, and a witness is worth what its validator is.",
];

/** The findings as tables, the strongest statement first. */
export function studyParts(
  { honest, cheats, notCaught, files, drift, sizing }: StoredStudy,
): StudyPart[] {
  return [
    {
      title: "Cheats at an image",
      words:
        "Found: by one check of one, three and five steps, as they are drawn. Flagged: of the " +
        "cheated steps, once opened. Least error: of those, in tolerances. Income: expected weight, " +
        "an honest miner's being 1, and the same by the rule of WOMBO's Subnet 30.",
      head: ["", "images", "cheated steps", "flagged", "least error", ...FOUND, ...INCOMES],
      rows: [...honest, ...cheats].map(rowOf),
    },
    {
      title: "Not caught by single checks",
      words: `Less precise than claimed. Each check of three of ${sizing.steps} steps passes.`,
      head: ["", "images", "cheated steps", "flagged", "least error", ...FOUND, ...INCOMES],
      rows: notCaught.map(rowOf),
    },
    {
      title: "All checks of a miner together",
      words:
        "Miners that are found to drift from what honest machines are like, after so many checks.",
      head: ["", "5", "10", "20", "40"],
      rows: drift.map(({ name, rates }) => [
        name,
        ...[rates[5], rates[10], rates[20], rates[40]].map(percent),
      ]),
    },
    {
      title: "Cheats at the image's file",
      words: "Refused: for its container. Suspect: for its pixels, or its length.",
      head: ["", "verdict"],
      rows: files.map(({ name, format, verdict }) => [`${format}: ${name}`, verdict]),
    },
  ].filter(({ rows }) => rows.length > 0);
}

/** How the images were made and checked, in a sentence. */
export function studyConditions({ sizing, engines }: StoredStudy): string {
  const { runs, samples, steps, size, scheduler, guidanceScale } = sizing;
  return `Images of ${steps} steps of ${scheduler} with guidance ${guidanceScale} at ${size}x${size}; ` +
    `of each practice ${runs} or more, until ${samples} cheated steps were seen. Machines: ` +
    `${Object.entries(engines).map(([name, compute]) => `${name} (${compute})`).join(", ")}.`;
}

const FOUND = ["found by 1", "by 3", "by 5"];
const INCOMES = ["income", "Subnet 30's"];

function rowOf({ name, runs, steps, cheated, flagged, ratio, passes, income }: StoredPractice) {
  const { 1: one, 3: three, 5: five } = passes.drawn;
  return [
    name,
    String(runs),
    String(Math.round(steps * cheated)),
    percent(flagged),
    Number.isFinite(ratio.least) ? ratio.least.toPrecision(2) : "refused",
    ...[one, three, five].map((rate) => percent(1 - rate)),
    ...[income.ours, income.older].map((earned) => earned.toFixed(2)),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
