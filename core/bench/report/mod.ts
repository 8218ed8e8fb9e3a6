/**
 * What a benchmark says: the report's format, medians and spreads, comparison with an older report,
 * and the page with plots.
 *
 * ```ts
 * import { decodeReport, digits, median, reportHtml } from "./mod.ts";
 *
 * console.assert(digits(median([1, 2, 40])) === "2.00");
 *
 * const report = decodeReport({
 *   format: "stepwise-bench-1",
 *   time: "2026-01-31T12:00:00Z",
 *   hosts: [],
 *   missing: ["chrome: no Chrome was found"],
 * });
 * console.assert(reportHtml(report).includes("no Chrome was found"));
 * ```
 */
export { type Change, compareReports, differentMachines } from "./compare.ts";
export { type Figures, figuresOf } from "./figures.ts";
export { beyond, digits, formatMs, grouped, percent, spread, times } from "./format.ts";
export {
  type BenchReport,
  type BenchRow,
  decodeHostReport,
  decodeReport,
  type HostReport,
} from "./report.ts";
export { reportHtml } from "./report_html.ts";
export { REPORT_STYLE } from "./report_style.ts";
export { type BenchSize, benchSizes, type BenchUnit, itemsOf, sizeName } from "./size.ts";
export { median, summarize } from "./statistics.ts";
