import { join } from "node:path";
import { type CheatFindings, FALSE_REJECTS } from "../../core/adversary/mod.ts";
import type { ImageEngine } from "../../core/generation/mod.ts";
import { writeAtomically } from "../storage/mod.ts";
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
  await write(join(MODELS, `${id}-adversary.md`), summaryPage(id, study, sizing, machines));
  return path;
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
