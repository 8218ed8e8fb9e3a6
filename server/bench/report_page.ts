import { type BenchReport, type Change, REPORT_STYLE, reportHtml } from "../../core/bench/mod.ts";

/** A report as one page that needs nothing else: no script, no request. */
export function reportPage(report: BenchReport, changes: readonly Change[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stepwise kernel bench, ${report.time}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<h1>Stepwise kernel bench</h1>
<p class="faint">${report.time}. Points are medians, whiskers p10 to p90; both axes logarithmic.</p>
${reportHtml(report, changes)}
</body>
</html>
`;
}
