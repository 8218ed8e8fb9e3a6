import type { Report } from "../../../core/verifier/mod.ts";
import { STATEMENT_ONLY, type TabReport } from "../api/mod.ts";

/** A verdict as a stranger reads it. */
export interface VerdictWords {
  readonly kind: Report["verdict"] | "withheld" | "statement";
  /** A few words. */
  readonly title: string;
  /** What that means, claiming no more than was checked. */
  readonly text: string;
}

export function verdictWords(report: TabReport): VerdictWords {
  const { verdict, code, statementOnly } = report;
  if (code === "opening_withheld") {
    return {
      ...{ kind: "withheld", title: "It could not be checked" },
      text: "The miner did not open a step: that is no verdict on the image.",
    };
  }
  if (statementOnly && verdict === "honest") {
    return {
      ...{ kind: "statement", title: "Signed, and no more checked" },
      text: `Not refuted: ${STATEMENT_ONLY}.`,
    };
  }
  switch (verdict) {
    case "honest":
      return honest(report);
    case "suspect":
      return {
        ...{ kind: verdict, title: "Suspect" },
        text: "A step is further from what the model computes than honest machines ever are.",
      };
    case "invalid":
      return {
        ...{ kind: verdict, title: "Invalid" },
        text: "What its maker signed does not hold.",
      };
    default:
      return verdict satisfies never;
  }
}

function honest({ level, steps, of, image }: TabReport): VerdictWords {
  if (level < 2) {
    return {
      ...{ kind: "honest", title: "Honest so far" },
      text: level === 1
        ? "The arithmetic between the steps holds; the network was not run."
        : "What was signed holds; no step was computed again.",
    };
  }
  const pixels = image ? ", and the picture is what the last step gives" : "";
  return {
    ...{ kind: "honest", title: "Honest" },
    text:
      `This machine computed ${steps.length} of its ${of} steps again, and got what its maker ` +
      `signed${pixels}.`,
  };
}
