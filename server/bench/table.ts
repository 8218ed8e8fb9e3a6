import {
  type BenchReport,
  type BenchRow,
  type Change,
  digits,
  type Figures,
  figuresOf,
  formatMs,
  grouped,
  type HostReport,
  percent,
  sizeName,
  spread,
  times,
} from "../../core/bench/mod.ts";
import { loopTable } from "./end_to_end.ts";

/** A line: what it is about, and cells of each host that has it. */
interface Line {
  readonly label: string;
  readonly cells: readonly (readonly string[])[];
}

const LABEL_WIDTH = 16;
const WIDE_LABEL = 28;
const CELL_WIDTHS = [8, 7, 6, 6, 6, 7];
const SHORT_HEADS = ["median", "spread", "GB/s", "copy", "xCPU", "xONNX"];
const GAP = "  ";

type HostFigures = { readonly host: HostReport; readonly figures: readonly Figures[] };

/**
 * A report for a terminal of 100 columns, the hosts side by side: a line a size with the variant
 * that the engine uses, or a line for everything measured.
 */
export function reportTable(report: BenchReport, { all }: { readonly all: boolean }): string {
  const hosts = report.hosts.map((host) => ({ host, figures: figuresOf(host.rows) }));
  const names = [...new Set(report.hosts.flatMap(({ rows }) => rows.map((row) => row.case)))];
  const width = all ? WIDE_LABEL : LABEL_WIDTH;
  return [
    ...report.hosts.map(hostLine),
    "",
    ...names.flatMap((name) => {
      const own = hosts.map(({ host, figures }) => (
        { host, figures: figures.filter(({ row }) => row.case === name) }
      ));
      return own.some(({ figures }) => figures[0]?.row.kind === "network")
        ? loopTable(name, own.map(({ host, figures }) => ({ host: host.host, figures })))
        : caseTable(name, own, all, width);
    }),
    LEGEND,
    ...betterVariants(hosts),
    ...report.hosts.flatMap(wrongResults),
    ...report.hosts.flatMap(({ host, problems }) => problems.map((why) => `${host}: ${why}`)),
    ...report.hosts.flatMap(leftOutLine),
    ...report.missing,
  ].join("\n");
}

const LEGEND =
  `spread: half of p10 to p90, of the median    copy: share of a vec4 copy kernel's bandwidth
xCPU, xONNX: times faster than the reference in JavaScript, than the same ONNX graph on this GPU`;

function hostLine({ host, adapter, software, rows, fenceMs, seconds }: HostReport): string {
  const clock = rows.some(({ gpuMs }) => gpuMs) ? "timestamps" : "wall clock";
  return `${host}: ${adapter}; ${software}; ${clock}, fence ${formatMs(fenceMs)}; ` +
    `${digits(seconds)} s`;
}

function caseTable(
  name: string,
  hosts: readonly HostFigures[],
  all: boolean,
  width: number,
): string[] {
  const own = hosts.map(({ figures }) => figures);
  const heads = all ? SHORT_HEADS.slice(0, 4).concat("ours") : SHORT_HEADS;
  const head = { label: name, cells: own.map(() => heads) };
  const titles = hosts.map(({ host }) => host.host.padEnd(widthOf(heads)));
  return [
    " ".repeat(width) + GAP + titles.join(GAP).trimEnd(),
    lineText(head, width),
    ...(all ? everyLine(own) : chosenLines(own)).map((line) => lineText(line, width)),
    "",
  ];
}

function chosenLines(hosts: readonly (readonly Figures[])[]): Line[] {
  const chosen = hosts.map((figures) => figures.filter(({ row }) => row.chosen));
  return unique(chosen.flat().map(({ row }) => sizeName(row.size))).map((size) => ({
    label: size,
    cells: chosen.map((figures) => {
      const figure = figures.find(({ row }) => sizeName(row.size) === size);
      if (!figure) return SHORT_HEADS.map(() => "");
      return [...shared(figure), times(figure.timesCpu), times(figure.timesOnnx)];
    }),
  }));
}

/** A heading a size, then a line a contender; `ours`: its time as a multiple of the chosen one's. */
function everyLine(hosts: readonly (readonly Figures[])[]): Line[] {
  const sizes = unique(hosts.flat().map(({ row }) => sizeName(row.size)));
  return sizes.flatMap((size) => {
    const own = hosts.map((figures) => figures.filter(({ row }) => sizeName(row.size) === size));
    const { elements } = own.flat()[0].row;
    const names = unique(own.flat().map(({ row }) => row.contender));
    const lines = names.map((name) => ({
      label: `${own.some((figures) => isChosen(figures, name)) ? "*" : " "} ${name}`,
      cells: own.map((figures) => {
        const figure = figures.find(({ row }) => row.contender === name);
        if (!figure) return ["", "", "", "", ""];
        const chosen = figures.find(({ row }) => row.chosen);
        return [...shared(figure), times(chosen && figure.median / chosen.median)];
      }),
    }));
    return [{ label: `${size}, ${grouped(elements)} elements`, cells: [] }, ...lines];
  });
}

function isChosen(figures: readonly Figures[], name: string): boolean {
  return figures.some(({ row }) => row.chosen && row.contender === name);
}

function shared(figure: Figures): string[] {
  return [
    formatMs(figure.median),
    spread(figure),
    digits(figure.gigabytesPerSecond),
    percent(figure.shareOfCopy),
  ];
}

/** Variants that beat the one that the engine uses by more than the noise of both. */
function betterVariants(hosts: readonly HostFigures[]): string[] {
  const lines = hosts.flatMap(({ host, figures }) =>
    figures.filter(({ row }) => row.chosen).flatMap((chosen) => {
      const best = figures.filter(({ row }) => isVariantOf(row, chosen.row))
        .toSorted((a, b) => a.median - b.median)[0];
      if (!best || !isClearlyFaster(best, chosen)) return [];
      const gain = percent(best.median / chosen.median);
      return [
        `  ${host.host}: ${chosen.row.case} ${sizeName(chosen.row.size)}: ` +
        `${best.row.contender} takes ${gain} of ${chosen.row.contender}`,
      ];
    })
  );
  return lines.length ? ["", "Faster than what the engine uses:", ...lines] : [];
}

/** The same kernel, tuned otherwise. */
function isVariantOf(row: BenchRow, chosen: BenchRow): boolean {
  const base = (name: string) => name.slice(0, name.indexOf(" @"));
  return row.kind === "kernel" && row !== chosen && row.case === chosen.case &&
    sizeName(row.size) === sizeName(chosen.size) && base(row.contender) === base(chosen.contender);
}

function isClearlyFaster(one: Figures, other: Figures): boolean {
  return one.p90 < other.p10 && one.median < 0.9 * other.median;
}

function wrongResults({ host, rows }: HostReport): string[] {
  return rows.filter(({ agrees }) => agrees === false).map((row) =>
    `WRONG RESULT on ${host}: ${row.case} ${sizeName(row.size)}, ${row.contender}: ` +
    `${row.error?.toExponential(1)} from the reference`
  );
}

function leftOutLine({ host, leftOut }: HostReport): string[] {
  if (!leftOut.length) return [];
  return [
    `${host}: no time for every variant at ${leftOut.length} sizes: give more --seconds, or a ` +
    "--filter",
  ];
}

/** What changed since an older report, ours first. */
export function changesTable(changes: readonly Change[], path: string): string {
  const changed = changes.filter(({ verdict }) => verdict === "faster" || verdict === "slower");
  const ours = changed.filter(({ row }) => row.kind === "kernel");
  const lines = [...ours, ...changed.filter(({ row }) => row.kind !== "kernel")].map((change) => {
    const { host, row, verdict, ratio, rewritten } = change;
    const note = rewritten ? ", its WGSL changed" : "";
    return `  ${verdict} ${host}: ${row.case} ${sizeName(row.size)}: ${row.contender} takes ` +
      `${percent(ratio)} of the time${note}`;
  });
  const count = (verdict: Change["verdict"]) =>
    `${changes.filter((change) => change.verdict === verdict).length} ${verdict}`;
  const counts = (["faster", "slower", "same", "new"] as const).map(count).join(", ");
  return [
    `Against ${path}: ${counts} (changes of more than 3 median deviations and 5%)`,
    ...lines,
  ].join("\n");
}

function lineText({ label, cells }: Line, width: number): string {
  const blocks = cells.map((block) =>
    block.map((cell, k) => cell.padStart(CELL_WIDTHS[k])).join("")
  );
  return [label.padEnd(width), ...blocks].join(GAP).trimEnd();
}

function widthOf(heads: readonly string[]): number {
  return heads.reduce((sum, _, k) => sum + CELL_WIDTHS[k], 0);
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
