import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Report } from "../../../core/verifier/mod.ts";
import {
  countOf,
  heatScale,
  MAX_HEAT,
  MIN_HEAT,
  type Picture,
  type TabReport,
} from "../api/mod.ts";

import { check } from "../state/mod.ts";

import { PictureCanvas } from "./picture_canvas.tsx";
import { Zoomable } from "./zoom.tsx";

const SCALE = heatScale(128);

/** A check's figures. */
export function ResultView({ report }: { readonly report: TabReport }) {
  return (
    <>
      <p class="small faint">{drawText(report)} {costText(report)}</p>
      {reachedNetwork(report) && <Plot report={report} />}
      {report.steps.length > 0 && <StepTable report={report} />}
      <Comparison />
    </>
  );
}

/** The plot, whose library is fetched by who unfolds it; without it the table says the same. */
function Plot({ report }: { readonly report: TabReport }) {
  const [View, setView] = useState<FunctionComponent<{ readonly report: Report }>>();
  useEffect(() => {
    void import("./error_plot.tsx").then(({ ErrorPlot }) => setView(() => ErrorPlot)).catch(
      () => {},
    );
  }, []);
  return View ? <View report={report} /> : null;
}

/** The verdict as a file. */
export function ReportDownload({ report }: { readonly report: TabReport }) {
  return (
    <a
      href={`data:application/json,${encodeURIComponent(JSON.stringify(report, null, 2))}`}
      download={`verdict-${report.receipt.slice(0, 16)}.json`}
    >
      Download the verdict
    </a>
  );
}

function reachedNetwork({ steps }: Report): boolean {
  return steps.some((row) => row.velocityError !== undefined);
}

function drawText({ opened, of, draw, drawnBy, meaning }: Report): string {
  if (opened.length === 0) return "No step was opened.";
  const by = draw === "private" ? "drawn by this tab" : drawnBy;
  const strength = meaning === undefined ? "" : ` ${meaning}.`;
  return `Step${opened.length === 1 ? "" : "s"} ${opened.join(", ")} of ${of}, ${by}.${strength}`;
}

function costText({ cost }: Report): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  return [
    ...(cost.openings > 0
      ? [
        `${countOf(cost.openings, "opening")} of ${(cost.bytes / 1000).toFixed(1)} kB in ` +
        `${seconds(cost.openingMs)};`,
      ]
      : []),
    ...(cost.evaluations > 0
      ? [
        `${countOf(cost.evaluations, "step")} through the network in ${seconds(cost.networkMs)}, ` +
        `${(100 * cost.share).toFixed(0)} % of what making the image takes;`,
      ]
      : []),
    `${seconds(cost.totalMs)} in all.`,
  ].join(" ");
}

function StepTable({ report }: { readonly report: Report }) {
  const network = reachedNetwork(report);
  const short = (value: number | undefined) => value === undefined ? "-" : value.toPrecision(3);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Figures of each step">
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Wrong values</th>
            {network && (
              <>
                <th scope="col">Similarity</th>
                <th scope="col">Velocity error</th>
                <th scope="col">Tolerance</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {report.steps.map((row) => (
            <tr key={row.step}>
              <td>{row.step}</td>
              <td>{row.outside ?? "-"}</td>
              {network && (
                <>
                  <td>{row.similarity?.toFixed(6) ?? "-"}</td>
                  <td>{short(row.velocityError)}</td>
                  <td>{short(row.tolerance)}</td>
                </>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The prediction that the miner claims, the one made here, and where they differ. */
function Comparison() {
  const compared = [...check.value?.pictures ?? []].filter(([, { difference }]) => difference)
    .sort(([a], [b]) => a - b);
  if (compared.length === 0) return null;
  return (
    <>
      <h3>Predictions: the miner's against ours, and where they differ</h3>
      <div class="scale small">
        <PictureCanvas
          picture={SCALE}
          label={`Colours of the differences, from ${MIN_HEAT} to ${MAX_HEAT} tolerances`}
        />
        <span>{MIN_HEAT} or less</span>
        <span>the tolerance</span>
        <span>{MAX_HEAT} times or more</span>
      </div>
      <div class="compare">
        {compared.map(([step, { theirs, ours, difference }]) => (
          <figure key={step}>
            <figcaption class="small">Step {step}</figcaption>
            <div class="two">
              {theirs && ours && <Slider {...{ step, theirs, ours }} />}
              {difference && (
                <Zoomable label={`Difference at step ${step}`}>
                  <PictureCanvas picture={difference} label={`Difference at step ${step}`} />
                </Zoomable>
              )}
              <span>miner's | ours</span>
              <span>difference</span>
            </div>
          </figure>
        ))}
      </div>
    </>
  );
}

interface Pair {
  readonly step: number;
  readonly theirs: Picture;
  readonly ours: Picture;
}

/** Two predictions in one place; the slider uncovers the one or the other. */
function Slider({ step, theirs, ours }: Pair) {
  const [at, setAt] = useState(50);
  return (
    <div class="slider">
      <Zoomable label={`The miner's prediction against ours, step ${step}`}>
        <span class="stack">
          <PictureCanvas picture={theirs} label={`The miner's, step ${step}`} />
          <span style={{ clipPath: `inset(0 0 0 ${at}%)` }}>
            <PictureCanvas picture={ours} label={`Ours, step ${step}`} />
          </span>
        </span>
      </Zoomable>
      <input
        type="range"
        min={0}
        max={100}
        value={at}
        aria-label={`The miner's prediction up to here, ours from here on, step ${step}`}
        onInput={(event) => setAt(Number(event.currentTarget.value))}
      />
    </div>
  );
}
