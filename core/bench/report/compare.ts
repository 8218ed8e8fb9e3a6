import { contestOf } from "./figures.ts";
import type { BenchReport, BenchRow, HostReport } from "./report.ts";
import { summarize } from "./statistics.ts";

export type Verdict = "faster" | "slower" | "same" | "new";

/** How a row compares with the same one of an older report. */
export interface Change {
  readonly host: HostReport["host"];
  readonly row: BenchRow;
  readonly verdict: Verdict;
  /** New median over old one; undefined for what is new. */
  readonly ratio: number | undefined;
  /** The kernel's text is another one. */
  readonly rewritten: boolean;
}

/** A change is reported when the medians differ by more than so many MADs, and by this part. */
const MADS = 3;
const PART = 0.05;

/** Every row of the newer report, in its order, compared with the older. */
export function compareReports(older: BenchReport, newer: BenchReport): Change[] {
  const known = new Map(
    older.hosts.flatMap(({ host, rows }) => rows.map((row) => [rowKey(host, row), row])),
  );
  return newer.hosts.flatMap(({ host, rows }) =>
    rows.map((row) => ({ host, row, ...changeOf(known.get(rowKey(host, row)), row) }))
  );
}

/** One contender at one size on one host. */
export function rowKey(host: HostReport["host"], row: BenchRow): string {
  return `${host} ${contestOf(row)} ${row.contender}`;
}

/** Why two reports are hardly comparable: other adapters or programs under the same name. */
export function differentMachines(older: BenchReport, newer: BenchReport): string[] {
  return newer.hosts.flatMap((host) => {
    const other = older.hosts.find((entry) => entry.host === host.host);
    const facts = (report: HostReport) => `${report.adapter}, ${report.software}`;
    return other && facts(other) !== facts(host)
      ? [`${host.host}: then ${facts(other)}, now ${facts(host)}`]
      : [];
  });
}

function changeOf(
  before: BenchRow | undefined,
  after: BenchRow,
): Pick<Change, "verdict" | "ratio" | "rewritten"> {
  if (!before) return { verdict: "new", ratio: undefined, rewritten: false };
  // By one clock on both sides.
  const gpu = before.gpuMs && after.gpuMs;
  const [old, now] = [before, after].map((row) => summarize(gpu && row.gpuMs || row.wallMs));
  const difference = now.median - old.median;
  const noise = Math.max(MADS * Math.max(old.mad, now.mad), PART * old.median);
  return {
    verdict: Math.abs(difference) <= noise ? "same" : difference < 0 ? "faster" : "slower",
    ratio: now.median / old.median,
    rewritten: before.wgsl !== after.wgsl,
  };
}
