import type { Results, Score } from "../../../core/protocol/mod.ts";

/** Rows of the ledger's tables, as the other half gets them. */
export type Row = Readonly<Record<string, unknown>>;

export function answerOf(row: Row): Results["answers"][number] {
  return {
    ...whoOf(row),
    outcome: row.outcome as Results["answers"][number]["outcome"],
    ...{ work: Number(row.work), why: whyOf(row) },
  };
}

export function checkOf(row: Row): Results["checks"][number] {
  const why = whyOf(row);
  return {
    ...whoOf(row),
    source: row.source === "user" ? "user" : "synthetic",
    score: {
      verdict: row.verdict as Score["verdict"],
      similarity: Number(row.similarity),
      velocityError: numberOf(row.error),
      worst: numberOf(row.worst),
      reasons: why === null ? [] : [why],
      ...stepsOf(row),
    },
  };
}

export function testOf(row: Row): Results["tests"][number] {
  return {
    ...whoOf(row),
    requestsPerSecond: Number(row.rps),
    errorRate: Number(row.error_rate),
    requests: Number(row.requests),
    carried: Number(row.carried),
  };
}

/** Of a check joined with its steps, where they were kept. */
function stepsOf({ ratios, deviation, backend }: Row): Pick<Score, "ratios" | "deviation"> {
  return {
    ...(typeof ratios === "string" && { ratios: JSON.parse(ratios) }),
    ...(typeof deviation === "number" && {
      deviation: { sd: deviation, backend: String(backend) },
    }),
  };
}

function whoOf({ id, hotkey, at }: Row) {
  return { id: String(id), hotkey: String(hotkey), at: Number(at) };
}

function whyOf({ why }: Row): string | null {
  return typeof why === "string" ? brief(why) : null;
}

/** Characters of a reason: miners have a hand in its words. */
const MAX_WHY = 300;

export function brief(why: string): string {
  return why.length > MAX_WHY ? `${why.slice(0, MAX_WHY - 3)}...` : why;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
