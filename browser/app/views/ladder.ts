import { errorFacts } from "../../../core/error_codes.ts";
import type { Level, Report } from "../../../core/verifier/mod.ts";

import { countOf, type Stage, STAGES, STATEMENT_ONLY, type TabReport } from "../api/mod.ts";

export type RungState = "open" | "running" | "done" | "failed";

export interface Rung {
  readonly stage: Stage;
  readonly name: string;
  readonly state: RungState;
  readonly detail: string;
}

const NAMES: Readonly<Record<Stage, string>> = {
  receipt: "Signed",
  proofs: "Committed",
  arithmetic: "Arithmetic",
  model: "Model",
  network: "Network",
  image: "Image",
};

const LEVELS: Readonly<Record<Stage, Level>> = {
  receipt: 0,
  proofs: 0,
  arithmetic: 1,
  model: 2,
  network: 2,
  image: 3,
};

/** What a running check emitted, by stage. */
export type Said = ReadonlyMap<Stage, string>;

/** Rungs of a check that still runs: the last emitted is in progress, those before are done. */
export function runningRungs(level: Level, said: Said): Rung[] {
  const reached = STAGES.findLastIndex((stage) => said.has(stage));
  return rungs(level, (stage) => {
    const place = STAGES.indexOf(stage);
    const state = place < reached ? "done" : place === reached ? "running" : "open";
    return { state, detail: state === "running" ? said.get(stage) ?? "" : "" };
  });
}

/** Rungs of a check that was broken off: its last stage is not known to hold. */
export function brokenRungs(level: Level, said: Said): Rung[] {
  return runningRungs(level, said).map((rung) =>
    rung.state === "running" ? { ...rung, state: "open", detail: "broken off" } : rung
  );
}

/** Rungs of a report: only what it has figures of was checked. */
export function reportRungs(report: TabReport, compute: string): Rung[] {
  return rungs(report.asked, (stage) => found(stage, report, compute));
}

function rungs(level: Level, of: (stage: Stage) => Pick<Rung, "state" | "detail">): Rung[] {
  return STAGES.filter((stage) => LEVELS[stage] <= level)
    .map((stage) => ({ stage, name: NAMES[stage], ...of(stage) }));
}

const NOT_CHECKED = { state: "open", detail: "not checked" } as const;

function found(stage: Stage, report: TabReport, compute: string): Pick<Rung, "state" | "detail"> {
  const refused = report.code === undefined
    ? undefined
    : errorFacts(report.code).evidence === "opening"
    ? "proofs"
    : "receipt";
  if (refused === stage) {
    // Nothing that was signed fails with it.
    const withheld = report.code === "opening_withheld";
    return withheld ? { state: "open", detail: "not opened" } : { state: "failed", detail: "" };
  }
  if (refused !== undefined && stage !== "receipt") return NOT_CHECKED;
  switch (stage) {
    case "receipt":
      return {
        state: "done",
        detail: report.statementOnly ? STATEMENT_ONLY : "the signature and the receipt hold",
      };
    case "proofs":
      return proofs(report);
    case "arithmetic":
      return arithmetic(report);
    case "model":
      return network(report).state === "open" ? NOT_CHECKED : { state: "done", detail: compute };
    case "network":
      return network(report);
    case "image":
      return image(report);
    default:
      return stage satisfies never;
  }
}

function proofs({ cost, opened }: Report): Pick<Rung, "state" | "detail"> {
  if (cost.openings === 0) return NOT_CHECKED;
  return {
    state: "done",
    detail: `${countOf(opened.length, "step")} opened, all in the signed tree`,
  };
}

function arithmetic({ steps: rows, start, sketches }: Report): Pick<Rung, "state" | "detail"> {
  const checked = rows.filter(({ outside }) => outside !== undefined);
  if (checked.length === 0 && !start) return NOT_CHECKED;
  const wrong = checked.filter(({ outside }) => outside);
  if (start?.outside) return { state: "failed", detail: "the first state is not the seed's noise" };
  if (sketches && sketches.otherPredictions.length + sketches.otherStates.length > 0) {
    return { state: "failed", detail: "the receipt's sketches are not those of what was opened" };
  }
  return wrong.length > 0
    ? { state: "failed", detail: `does not hold at step ${wrong.map(({ step }) => step)}` }
    : {
      state: "done",
      detail: `the seed's noise, and ${countOf(checked.length, "step")} by the plan`,
    };
}

function network({ steps: rows, worst }: Report): Pick<Rung, "state" | "detail"> {
  const checked = rows.filter(({ velocityError }) => velocityError !== undefined);
  if (checked.length === 0) return NOT_CHECKED;
  const holds = checked.every(({ velocityError, tolerance }) =>
    velocityError !== undefined && tolerance !== undefined && velocityError <= tolerance
  );
  return {
    state: holds ? "done" : "failed",
    detail: `the largest error is ${share(worst ?? Infinity)} its tolerance`,
  };
}

function image(
  { image: found, source, parent }: Report,
): Pick<Rung, "state" | "detail"> {
  if (source && (source.error > source.tolerance || source.maskDiffering > 0)) {
    return { state: "failed", detail: "the run did not start from the given image and mask" };
  }
  if (parent?.image && !holds(parent.image)) {
    return {
      state: "failed",
      detail: "what it started from is not its parent's image made larger",
    };
  }
  if (!found) return NOT_CHECKED;
  const [state, of, { psnr, floor }] = shown(found);
  if (psnr === null) return { state, detail: "every pixel is equal" };
  return { state, detail: `${of}${psnr.toFixed(1)} dB, at least ${floor.toFixed(1)} are needed` };
}

function holds({ psnr, floor }: { readonly psnr: number | null; readonly floor: number }): boolean {
  return psnr === null || psnr >= floor;
}

/** What fails, or the whole image. */
function shown(found: NonNullable<Report["image"]>) {
  if (!holds(found)) return ["failed", "", found] as const;
  if (found.tile && !holds(found.tile)) return ["failed", "a part has ", found.tile] as const;
  const short = !found.bytes || found.bytes.found <= found.bytes.most;
  return [short ? "done" : "failed", "", found] as const;
}

/** 0.02: `2 % of`; 3: `3.00 times`. */
function share(ratio: number): string {
  if (!Number.isFinite(ratio)) return "far beyond";
  return ratio < 1
    ? `${Number((100 * ratio).toPrecision(2))} % of`
    : `${ratio.toPrecision(3)} times`;
}
