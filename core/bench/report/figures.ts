import type { BenchRow } from "./report.ts";
import { pairedRatio, summarize, type Summary } from "./statistics.ts";

/** What is derived from a row's raw samples. */
export interface Figures extends Summary {
  readonly row: BenchRow;
  /** By timestamp queries, or by the wall clock. */
  readonly clock: "gpu" | "wall";
  /** Bytes that it must move in the median time, 1e9 a second; NaN for loops. */
  readonly gigabytesPerSecond: number;
  /** Of the copy kernel's bandwidth in the same rounds; 1 is as fast as a copy of the same bytes. */
  readonly shareOfCopy: number | undefined;
  /** How many times faster than the CPU reference and the ONNX graph, by the wall clock. */
  readonly timesCpu: number | undefined;
  readonly timesOnnx: number | undefined;
  /** What a loop takes beyond its network calls, as a part of those. */
  readonly overNetwork: number | undefined;
}

/** Which rows were measured together: one case at one size. */
export function contestOf({ case: name, size: { side, batch } }: BenchRow): string {
  return `${name} ${side} ${batch}`;
}

/** Figures of one host's rows, in their order. */
export function figuresOf(rows: readonly BenchRow[]): Figures[] {
  const contests = Map.groupBy(rows, contestOf);
  return rows.map((row) => rowFigures(row, contests.get(contestOf(row)) ?? []));
}

function rowFigures(row: BenchRow, contest: readonly BenchRow[]): Figures {
  const rival = (kind: BenchRow["kind"]) => contest.find((other) => other.kind === kind);
  const summary = summarize(row.gpuMs ?? row.wallMs);
  const ours = row.kind === "kernel";
  const network = row.kind === "loop" ? rival("network") : undefined;
  const times = (other: BenchRow | undefined) =>
    ours && other ? pairedRatio(other.wallMs, row.wallMs) : undefined;
  return {
    ...summary,
    row,
    clock: row.gpuMs ? "gpu" : "wall",
    gigabytesPerSecond: (row.bytes ?? NaN) / summary.median / 1e6,
    shareOfCopy: ours || row.kind === "buffer copy"
      ? shareOfCopy(row, rival("copy kernel"))
      : undefined,
    timesCpu: times(rival("cpu")),
    timesOnnx: times(rival("onnx")),
    overNetwork: network && pairedRatio(row.wallMs, network.wallMs) - 1,
  };
}

/** By one clock on both sides. */
function shareOfCopy(row: BenchRow, copy: BenchRow | undefined): number | undefined {
  if (!row.bytes || !copy?.bytes) return undefined;
  const ratio = row.gpuMs && copy.gpuMs
    ? pairedRatio(copy.gpuMs, row.gpuMs)
    : pairedRatio(copy.wallMs, row.wallMs);
  return ratio * row.bytes / copy.bytes;
}
