import { type ChartSeries, chartSvg } from "./chart.ts";
import { type Change, rowKey } from "./compare.ts";
import { type Figures, figuresOf } from "./figures.ts";
import { beyond, digits, formatMs, grouped, percent, spread, times } from "./format.ts";
import type { BenchReport, BenchRow, HostReport } from "./report.ts";
import { sizeName } from "./size.ts";

const KINDS: Readonly<Record<BenchRow["kind"], string>> = {
  kernel: "our kernel",
  "copy kernel": "vec4 copy kernel, same bytes",
  "buffer copy": "copyBufferToBuffer, same bytes",
  cpu: "CPU reference",
  onnx: "onnxruntime graph",
  loop: "denoising loop",
  network: "its network calls alone",
};
const HEADS = ["", "size", "", "median", "spread", "GB/s", "of copy", "vs CPU", "vs ONNX"];

/**
 * A report as HTML without head, style and script: plots, and a table with every row.
 * @param changes against an older report, to be marked.
 */
export function reportHtml(report: BenchReport, changes: readonly Change[] = []): string {
  const marks = new Map(changes.map((change) => [rowKey(change.host, change.row), change]));
  const cases = [...new Set(report.hosts.flatMap(({ rows }) => rows.map((row) => row.case)))];
  const hosts = report.hosts.map((host) => ({ host, figures: figuresOf(host.rows) }));
  const kinds = new Set<string>(report.hosts.flatMap(({ rows }) => rows.map((row) => row.kind)));
  return [
    ...report.missing.map((why) => `<p class="problem">${escapeHtml(why)}</p>`),
    "<dl class='hosts'>",
    ...report.hosts.map(hostHtml),
    "</dl>",
    `<p class="legend">${
      Object.entries(KINDS).filter(([kind]) => kinds.has(kind)).map(([kind, text]) =>
        `<span class="${styleOf(kind)}"><i></i>${text}</span>`
      ).join("")
    }</p>`,
    ...cases.map((name) =>
      caseHtml(
        name,
        hosts.map(({ host, figures }) => (
          { host, figures: figures.filter(({ row }) => row.case === name) }
        )),
        marks,
      )
    ),
  ].join("\n");
}

function hostHtml(host: HostReport): string {
  const clock = host.rows.some(({ gpuMs }) => gpuMs) ? "timestamp queries" : "the wall clock";
  const problems = host.problems.map((why) => `<p class="problem">${escapeHtml(why)}</p>`).join("");
  return `<dt>${host.host}</dt><dd>${escapeHtml(host.adapter)}; ${escapeHtml(host.software)}; ` +
    `${escapeHtml(host.runtime)}. Kernels and copies by ${clock}, the CPU and onnxruntime by the ` +
    `wall clock. A fence takes ${formatMs(host.fenceMs)}. ${digits(host.seconds)} s in all.` +
    `${problems}${leftOutHtml(host)}</dd>`;
}

function leftOutHtml({ leftOut }: HostReport): string {
  if (!leftOut.length) return "";
  const lines = leftOut.map((line) => `<li>${escapeHtml(line)}</li>`).join("");
  return `<details><summary>Variants left out for want of time: ${leftOut.length} sizes</summary>` +
    `<ul>${lines}</ul></details>`;
}

interface HostFigures {
  readonly host: HostReport;
  readonly figures: readonly Figures[];
}

/** The charts of all hosts on the same axes, and a table below them. */
function caseHtml(
  name: string,
  hosts: readonly HostFigures[],
  marks: ReadonlyMap<string, Change>,
): string {
  const all = hosts.flatMap(({ figures }) => seriesOf(figures));
  const charts = hosts.map(({ host, figures }) =>
    `<figure><figcaption>${host.host}</figcaption>` +
    `${chartSvg(`${name} on ${host.host}`, seriesOf(figures), all)}</figure>`
  );
  const rows = hosts.flatMap(({ host, figures }) =>
    figures.map((figure) => rowHtml(host.host, figure, marks.get(rowKey(host.host, figure.row))))
  );
  const head = HEADS.map((text) => `<th>${text}</th>`).join("");
  return `<section><h2>${escapeHtml(name)}</h2><div class="pair">${charts.join("")}</div>` +
    `<details><summary>every variant</summary><table><thead><tr>${head}</tr></thead>` +
    `<tbody>${rows.join("")}</tbody></table></details></section>`;
}

/** A line a kind; of what is ours the one that the engine uses. */
function seriesOf(figures: readonly Figures[]): ChartSeries[] {
  return Object.entries(KINDS).flatMap(([kind, name]) => {
    const own = figures.filter(({ row }) => row.kind === kind && (!isOurs(row) || row.chosen));
    const points = own.map(({ row, median, p10, p90 }) => (
      { x: row.elements, y: median, low: p10, high: p90 }
    )).sort((a, b) => a.x - b.x);
    return points.length ? [{ name, style: styleOf(kind), points }] : [];
  });
}

function isOurs({ kind }: BenchRow): boolean {
  return kind === "kernel" || kind === "loop";
}

function rowHtml(host: string, figure: Figures, change: Change | undefined): string {
  const { row } = figure;
  const cells = [
    host,
    `${sizeName(row.size)} <small>${grouped(row.elements)}</small>`,
    `<b class="${styleOf(row.kind)}"><i></i></b>${escapeHtml(row.contender)}${
      noteOf(figure, change)
    }`,
    formatMs(figure.median),
    `${spread(figure)} <small>${formatMs(figure.p10)} to ${formatMs(figure.p90)}</small>`,
    digits(figure.gigabytesPerSecond),
    percent(figure.shareOfCopy),
    times(figure.timesCpu),
    times(figure.timesOnnx),
  ];
  const style = row.chosen ? ' class="chosen"' : "";
  return `<tr${style}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

function noteOf({ row, overNetwork }: Figures, change: Change | undefined): string {
  const wrong = row.agrees === false ? `<em class="slower">wrong result</em>` : "";
  const over = overNetwork === undefined
    ? ""
    : ` <small>${beyond(overNetwork)} beyond the calls alone</small>`;
  if (!change || change.verdict === "same") return wrong + over;
  const words = change.verdict === "new"
    ? "new"
    : `${change.verdict}: ${percent(change.ratio)} of the time`;
  return `${wrong}${over}<em class="${change.verdict}">${words}</em>`;
}

function styleOf(kind: string): string {
  return kind.replace(" ", "-");
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot" };
  return text.replace(/[&<>"]/g, (character) => `&${names[character]};`);
}
