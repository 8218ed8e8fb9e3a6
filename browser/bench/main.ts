import { reason } from "../../core/error.ts";
import {
  type BenchOptions,
  type BenchReport,
  type Change,
  compareReports,
  decodeReport,
  differentMachines,
  REPORT_STYLE,
  reportHtml,
} from "../../core/bench/mod.ts";
import { closeGraph, openGraph, runGraph, takeDispatches } from "./graphs.ts";
import { benchBrowser, openMachine } from "./run.ts";

/** The page for people. A driven Chrome calls these instead of pressing the button. */
Object.assign(globalThis, {
  stepwiseBench: benchBrowser,
  stepwiseModel: openMachine,
  stepwiseOpenGraph: openGraph,
  stepwiseRunGraph: runGraph,
  stepwiseCloseGraph: closeGraph,
  stepwiseTakeDispatches: takeDispatches,
});

const form = element("options", HTMLFormElement);
const bar = element("bar", HTMLProgressElement);
const status = element("status", HTMLElement);
const reportPlace = element("report", HTMLElement);
const download = element("download", HTMLAnchorElement);
const button = form.querySelector("button");
// Not an element: the pages' policy allows no style inline.
const style = new CSSStyleSheet();
// Within the report alone: the page has the look of the others.
style.replaceSync(`#report { ${REPORT_STYLE.replaceAll(":root", "&")} }`);
document.adoptedStyleSheets = [style];
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void run(optionsOf(new FormData(form)));
});

async function run(options: BenchOptions): Promise<void> {
  if (button) button.disabled = true;
  bar.hidden = false;
  download.hidden = true;
  status.className = "";
  const time = new Date().toISOString();
  try {
    const host = await benchBrowser(options, ({ done, of, next }) => {
      bar.max = of;
      bar.value = done;
      status.textContent = `${done + 1} of ${of}: ${next}`;
    });
    const report: BenchReport = { format: "stepwise-bench-1", time, hosts: [host], missing: [] };
    const older = await olderReport();
    show(report, older ? compareReports(older, report) : []);
    status.textContent = host.rows.length
      ? older ? differentMachines(older, report).join("; ") : ""
      : "No case has this text in its name.";
  } catch (error) {
    status.textContent = reason(error);
    status.className = "problem";
  } finally {
    if (button) button.disabled = false;
    bar.hidden = true;
  }
}

/** An earlier report, of this machine or another. */
async function olderReport(): Promise<BenchReport | undefined> {
  const [file] = element("compare", HTMLInputElement).files ?? [];
  return file && decodeReport(JSON.parse(await file.text()));
}

function show(report: BenchReport, changes: readonly Change[]): void {
  reportPlace.hidden = false;
  reportPlace.innerHTML = reportHtml(report, changes);
  for (const table of reportPlace.querySelectorAll("details")) table.open = true;
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([JSON.stringify(report)]));
  download.download = `stepwise-bench-${report.time.replace(/[:.]/g, "-")}.json`;
  download.hidden = false;
}

function optionsOf(form: FormData): BenchOptions {
  return {
    filter: String(form.get("filter") ?? ""),
    quick: form.has("quick"),
    seconds: Number(form.get("seconds")),
  };
}

function element<T extends HTMLElement>(id: string, type: abstract new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`Cannot show the bench: the page has no ${id}`);
}
