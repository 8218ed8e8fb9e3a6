import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CheatFindings, FALSE_REJECTS } from "../../core/adversary/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { AppError } from "../../core/error.ts";
import { knownEntry } from "../models/mod.ts";
import { isMissing, writeAtomically } from "../storage/mod.ts";
import { type InputsStudy, inputsTable } from "./inputs_table.ts";
import type { Sizing } from "./lab_bench.ts";
import type { Study } from "./study.ts";
import { studyTable } from "./table.ts";

const MODELS = join(import.meta.dirname ?? ".", "../../models");

/** The study of the embedded model. */
export const STORED_STUDY = join(MODELS, "tau-tiny-adversary.json");

/**
 * Writes a study next to the catalogue: figures as JSON, without single steps and curves, and the
 * tables as a page. The same files for the same findings.
 * @param engines the machines by name, the checker's first.
 * @returns the JSON's path.
 */
export async function writeSummary(
  id: string,
  study: Study,
  sizing: Sizing,
  engines: ReadonlyMap<string, ImageEngine>,
): Promise<string> {
  const machines = [...engines].map(([name, { compute }]) => [name, compute] as const);
  const path = join(MODELS, `${id}-adversary.json`);
  await write(path, summaryJson(study, sizing, Object.fromEntries(machines)));
  const page = pageOf(id);
  const { inputs } = await partsOf(page);
  await write(page, summaryPage(id, study, sizing, machines) + inputs);
  return path;
}

/** What begins the part that is written by itself. */
const INPUTS = "\n## Runs that start from images\n";

/**
 * Writes the table of the runs that start from images to the study's page, in place of what is there of it.
 * @throws AppError `invalid_request` for a model that is not in the catalogue.
 * @returns the page's path.
 */
export async function writeInputs(model: string, study: InputsStudy): Promise<string> {
  const entry = knownEntry(model);
  if (!entry) {
    const why = `${model} is not in the catalogue, beside which they are kept; leave out --write`;
    throw new AppError("invalid_request", `Cannot write findings: ${why}`);
  }
  const page = pageOf(entry.id);
  const { whole } = await partsOf(page);
  const { steps, size } = study.order;
  await write(
    page,
    `${whole}${INPUTS}
Written by \`deno task adversary inputs --write\`: ${steps} steps at ${size}x${size} on the CPU, three drawn.

\`\`\`
${inputsTable(study)}
\`\`\`
`,
  );
  return page;
}

function pageOf(id: string): string {
  return join(MODELS, `${id}-adversary.md`);
}

/** The page up to {@link INPUTS}, and from there on. */
async function partsOf(page: string): Promise<{ readonly whole: string; readonly inputs: string }> {
  const text = await readFile(page, "utf8").catch((error) => {
    if (isMissing(error)) return "";
    throw error;
  });
  const at = text.indexOf(INPUTS);
  return at < 0
    ? { whole: text, inputs: "" }
    : { whole: text.slice(0, at), inputs: text.slice(at) };
}

function summaryJson(study: Study, sizing: Sizing, engines: Record<string, string>): string {
  const plain = ({ roc: _roc, sights: _sights, saves: _saves, ...found }: CheatFindings) => found;
  const summary = {
    engines,
    sizing,
    falseRejects: FALSE_REJECTS,
    thresholds: study.thresholds,
    honest: study.honest.map(plain),
    cheats: study.cheats.map(plain),
    notCaught: study.notCaught.map(plain),
    files: study.files,
    drift: study.drift,
  };
  return `${JSON.stringify(summary, rounded, 2)}\n`;
}

function rounded(key: string, value: unknown): unknown {
  return typeof value === "number" && Number.isFinite(value)
    ? Number(value.toPrecision(6))
    : withoutInfinity(key, value);
}

/** Infinity, which JSON has not, as a string. */
export function withoutInfinity(_: string, value: unknown): unknown {
  return value === Infinity ? "Infinity" : value;
}

function summaryPage(
  id: string,
  study: Study,
  { runs, samples, steps, size, scheduler, guidanceScale }: Sizing,
  machines: readonly (readonly [string, string])[],
): string {
  // A line each: `deno fmt` would rewrap sentences with every changed figure.
  return `# Cheats against the checks: ${id}

Written by \`deno task adversary --write\`. What is not caught: core/adversary/NOT_CAUGHT.md.

- Images: ${steps} steps of ${scheduler} with guidance ${guidanceScale} at ${size}x${size}
- Of each practice: ${runs} images or more, until ${samples} cheated steps were seen
${machines.map(([name, compute]) => `- ${name}: ${compute}`).join("\n")}

\`\`\`
${studyTable(study)}
\`\`\`
`;
}

async function write(path: string, text: string): Promise<void> {
  await writeAtomically(path, new TextEncoder().encode(text));
}
