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
