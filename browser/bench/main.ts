import { reason } from "../../core/error.ts";
import {
  type BenchOptions,
  type BenchReport,
  REPORT_STYLE,
  reportHtml,
} from "../../core/gpu/bench/mod.ts";
import { benchBrowser } from "./run.ts";

/** The page for people. A driven Chrome calls `stepwiseBench` instead of pressing the button. */
Object.assign(globalThis, { stepwiseBench: benchBrowser });

const form = element("options", HTMLFormElement);
const bar = element("bar", HTMLProgressElement);
const status = element("status", HTMLElement);
const reportPlace = element("report", HTMLElement);
const download = element("download", HTMLAnchorElement);
const button = form.querySelector("button");
const style = document.createElement("style");
style.textContent = REPORT_STYLE;
document.head.append(style);
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
    show({ format: "stepwise-bench-1", time, hosts: [host], missing: [] });
    status.textContent = host.rows.length ? "" : "No case has this text in its name.";
  } catch (error) {
    status.textContent = reason(error);
    status.className = "problem";
  } finally {
    if (button) button.disabled = false;
    bar.hidden = true;
  }
}

function show(report: BenchReport): void {
  reportPlace.innerHTML = reportHtml(report);
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
