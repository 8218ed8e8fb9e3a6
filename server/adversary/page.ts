import type { CheatFindings } from "../../core/adversary/mod.ts";
import { profitBars, rocPlot, similarityHistogram, velocityHistogram } from "./plots.ts";
import type { Sizing } from "./lab_bench.ts";
import type { Study } from "./study.ts";

/** Of pages that need nothing else. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --text: #1c1e21; --faint: #667; --back: #fff; --panel: #f5f6f8;
  --line: #dde0e6; --ours: #0b62d6; --older: #e08a00; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e8eaed; --faint: #9aa3b2; --back: #15171b;
  --panel: #1e2126; --line: #353a43; --ours: #6aa9ff; --older: #ffb74d; --bad: #ff8a80; } }
body { margin: 0 auto; padding: 24px; max-width: 1080px; background: var(--back);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 8px; }
p { max-width: 46em; } .faint, figcaption span { color: var(--faint); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr));
  gap: 16px; }
figure { margin: 0; padding: 12px; background: var(--panel); border-radius: 8px; min-width: 0; }
figcaption { font-weight: 600; } figcaption span { display: block; font-weight: 400;
  font-size: 13px; min-height: 3em; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--faint); font-size: 11px; } .end { text-anchor: end; }
.mid { text-anchor: middle; } .frame { stroke: var(--line); fill: none; }
.name { fill: var(--text); }
.limit { stroke: var(--bad); stroke-dasharray: 4 3; }
.ours { fill: var(--ours); stroke: var(--ours); } .older { fill: var(--older);
  stroke: var(--older); } .honest { fill: var(--faint); }
path { stroke-width: 2; } path.ours, path.older { fill: none; }
path.cell { stroke: none; } path.cell.ours { fill: var(--ours); }
path.cell.honest { fill: var(--faint); } path.limit { stroke-dasharray: none; fill: none; }
p span { display: inline-block; margin-right: 14px; }
i { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 6px; }
.wide { overflow-x: auto; } .wide svg { min-width: 640px; } .wide .cut { fill: var(--panel); }
.wide text { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; } table { border-collapse: collapse; font-size: 13px; }
th, td { text-align: right; padding: 3px 8px; border-top: 1px solid var(--line);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--faint); font-weight: 500; } td:first-child { text-align: left; }
`;

/** All findings as one page that needs nothing else: no script, no request. */
export function studyPage(study: Study, sizing: Sizing): string {
  const honest = study.honest.flatMap(({ sights }) => sights);
  const { runs, steps, size, scheduler } = sizing;
  const shown = [...study.cheats, ...study.notCaught];
  const grid = (
    plot: (found: CheatFindings) => string,
    note: (found: CheatFindings) => string = ({ saves }) => saves,
  ) => shown.map((found) => figure(found, plot(found), note(found))).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stepwise: cheats against the checks</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<h1>Cheats against the checks</h1>
<p class="faint">${runs} ${
    runs === 1 ? "image" : "images"
  } or more of each practice, ${steps} steps of ${scheduler} at ${size}x${size}.
Not caught, and not claimed to be: ${study.notCaught.map(({ name }) => name).join(", ")}.</p>
<p class="faint"><span><i style="background:var(--ours)"></i>our check</span>
<span><i style="background:var(--older)"></i>Subnet 30's rule (cosine of latents)</span></p>
<h2>What a practice pays</h2>
<p>Expected weight of a round over that of an honest miner with the same machine. Beyond the dashed
line it would pay to cheat; a bar with a gap is longer than the scale.</p>
<figure class="wide">${profitBars([...study.honest, ...study.cheats, ...study.notCaught])}</figure>
<h2>Velocity error of single steps</h2>
<p>A histogram of each step, on a logarithmic scale, the denser the more images; blue the cheated
steps, grey honest ones. What lies above the red tolerance is flagged. At the top edge: evidence
that was refused.</p>
<div class="grid">${grid((found) => velocityHistogram(found, honest, steps))}</div>
<h2>Similarity of single steps</h2>
<p>The same of 1 - cos(v, v'). At the top edge: evidence that was refused, or no similarity at
all.</p>
<div class="grid">${grid((found) => similarityHistogram(found, honest, steps), () => "")}</div>
<h2>ROC curves</h2>
<p>Share of cheated steps flagged over share of honest steps flagged, at every threshold.</p>
<div class="grid">${
    grid(rocPlot, ({ auc }) => `AUC ${auc.ours.toFixed(3)}, older rule ${auc.older.toFixed(3)}`)
  }</div>
<h2>Figures</h2>
<div class="wide">${table([...study.honest, ...study.cheats, ...study.notCaught])}</div>
</body>
</html>
`;
}

function figure({ name }: CheatFindings, plot: string, note: string): string {
  const below = note && `<span>${note}</span>`;
  return `<figure><figcaption>${name}${below}</figcaption>${plot}</figure>`;
}

const COLUMNS: readonly (readonly [string, (found: CheatFindings) => string])[] = [
  ["", ({ name }) => name],
  ["calls", ({ calls }) => calls.toFixed(2)],
  ["work", ({ work }) => work.toFixed(2)],
  ["cheated steps", ({ cheated }) => percent(cheated)],
  ["flagged", ({ flagged }) => percent(flagged)],
  ["least x tolerance", ({ ratio }) => times(ratio.least)],
  ["median", ({ ratio }) => times(ratio.median)],
  ["velocity cosine", ({ similarity }) => similarity.toFixed(4)],
  ["latent cosine", ({ latentCosine }) => latentCosine.toFixed(4)],
  ["passes, 1 drawn", ({ passes }) => percent(passes.drawn[1])],
  ["3 drawn", ({ passes }) => percent(passes.drawn[3])],
  ["5 drawn", ({ passes }) => percent(passes.drawn[5])],
  ["at 1e-4, 1 drawn", ({ passes }) => percent(passes.atRate?.[1])],
  ["3 drawn", ({ passes }) => percent(passes.atRate?.[3])],
  ["5 drawn", ({ passes }) => percent(passes.atRate?.[5])],
  ["older rule", ({ passes }) => percent(passes.older)],
];

function table(all: readonly CheatFindings[]): string {
  const head = COLUMNS.map(([name]) => `<th>${name}</th>`).join("");
  const rows = all.map((found) =>
    `<tr>${COLUMNS.map(([, cell]) => `<td>${cell(found)}</td>`).join("")}</tr>`
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(100 * share).toFixed(1)} %`;
}

function times(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(3) : "refused";
}
