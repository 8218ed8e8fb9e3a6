import { signal } from "@preact/signals";
import type { Level } from "../../../core/verification/mod.ts";
import type { Report } from "../../../core/verify/mod.ts";
import { engine } from "../engine.ts";
import { busy, capabilities, check, compute, report, runCheck, subject } from "../state.ts";
import type { ComputeChoice, Stage, StepChoice } from "../api.ts";
import { AttestView } from "./attest_view.tsx";
import { ErrorPlot } from "./error_plot.tsx";
import { PictureCanvas } from "./picture_canvas.tsx";
import { ReceiptCard } from "./receipt_card.tsx";

const LEVELS: readonly (readonly [Level, string])[] = [
  [0, "0: signature and proofs"],
  [1, "1: and the arithmetic"],
  [2, "2: and the network"],
  [3, "3: and the image"],
];

const level = signal<Level>(3);
const how = signal<"private" | "public" | "chosen">("private");
const count = signal(3);
const blockHash = signal("");
const picked = signal("");

/** The receipt that is looked at, and its check. */
export function CheckView() {
  const stored = subject.value;
  if (!stored) return null;
  return (
    <>
      <ReceiptCard stored={stored} />
      <section>
        <h2>Check it</h2>
        <Settings />
        <Ladder />
        <Strip of={stored.receipt.steps} />
      </section>
      {report.value && <Result report={report.value} />}
      {report.value && <AttestView stored={stored} report={report.value} />}
    </>
  );
}

function Settings() {
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void runCheck({ level: level.value, steps: stepsOf() });
      }}
    >
      <label>
        Level{" "}
        <select
          value={level.value}
          onChange={(event) => level.value = Number(event.currentTarget.value) as Level}
        >
          {LEVELS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      </label>
      <label>
        Steps{" "}
        <select
          value={how.value}
          onChange={(event) => how.value = event.currentTarget.value as typeof how.value}
        >
          <option value="private">drawn by this tab</option>
          <option value="public">drawn by a block's hash</option>
          <option value="chosen">picked by hand</option>
        </select>
      </label>
      {how.value === "chosen"
        ? (
          <label>
            Which{" "}
            <input
              placeholder="0, 14, 29"
              value={picked.value}
              onInput={(event) => picked.value = event.currentTarget.value}
            />
          </label>
        )
        : (
          <label>
            How many{" "}
            <input
              type="number"
              min={1}
              max={subject.value?.receipt.steps}
              value={count.value}
              onInput={(event) => count.value = Number(event.currentTarget.value)}
            />
          </label>
        )}
      {how.value === "public" && (
        <label>
          Block's hash{" "}
          <input
            class="mono"
            value={blockHash.value}
            onInput={(event) => blockHash.value = event.currentTarget.value}
          />
        </label>
      )}
      <ComputeSelect />
      <button type="submit" class="main" disabled={busy.value}>Check</button>
      {busy.value && <button type="button" onClick={() => void engine.cancel()}>Cancel</button>}
    </form>
  );
}

/** What computes, with what this browser has. */
export function ComputeSelect() {
  const found = capabilities.value;
  const gpu = found?.gpu ?? (found?.gpuProblem ? `none: ${found.gpuProblem}` : "looking");
  return (
    <label title={`GPU: ${gpu}; CPU: ${found?.threads ?? 1} threads`}>
      On{" "}
      <select
        value={compute.value}
        onChange={(event) => compute.value = event.currentTarget.value as ComputeChoice}
      >
        <option value="auto">the best there is</option>
        <option value="gpu" disabled={found?.gpu === undefined}>the GPU ({gpu})</option>
        <option value="cpu">the CPU</option>
      </select>
    </label>
  );
}

function stepsOf(): StepChoice {
  if (how.value === "chosen") {
    const numbers = picked.value.split(/[\s,]+/).filter(Boolean).map(Number);
    return { take: numbers.filter((step) => Number.isInteger(step) && step >= 0) };
  }
  const hash = how.value === "public" ? blockHash.value : undefined;
  return { draw: Math.max(1, count.value), blockHash: hash };
}

const STAGES: readonly (readonly [Stage, string, Level])[] = [
  ["receipt", "Signed", 0],
  ["proofs", "Committed", 0],
  ["arithmetic", "Arithmetic", 1],
  ["model", "Model", 2],
  ["network", "Network", 2],
  ["image", "Image", 3],
];

/** Rungs that light up as the check climbs. */
function Ladder() {
  const { stages } = check.value;
  if (stages.size === 0) return null;
  const reached = STAGES.findLastIndex(([stage]) => stages.has(stage));
  const failed = busy.value ? undefined : failedStage(report.value, STAGES[reached]?.[0]);
  return (
    <ol class="ladder" aria-live="polite">
      {STAGES.filter(([, , from]) => from <= level.value).map(([stage, name], k) => {
        const state = stage === failed
          ? "failed"
          : k > reached
          ? "open"
          : k === reached && busy.value
          ? "running"
          : "done";
        return (
          <li key={stage} data-state={state} data-stage={stage}>
            <span aria-hidden="true">{MARKS[state]}</span>
            <span>{name}</span>
            <span class="small">{stages.get(stage) ?? ""}</span>
          </li>
        );
      })}
    </ol>
  );
}

/** The rung that does not hold: by the verdict's kind, or the one where it ended. */
function failedStage(found: Report | undefined, last: Stage | undefined): Stage | undefined {
  if (!found || found.verdict === "honest") return undefined;
  if (found.verdict === "invalid") return last;
  const near = found.steps.every((row) =>
    !((row.velocityError ?? 0) > (row.tolerance ?? Infinity))
  );
  return near ? "image" : "network";
}

const MARKS = { open: "·", running: "…", done: "✓", failed: "✗" } as const;

/** All steps, the opened ones with their state as the model sees it. */
function Strip({ of }: { readonly of: number }) {
  const { steps, pictures } = check.value;
  if (steps.length === 0) return null;
  return (
    <>
      <h3>Steps, from noise to image</h3>
      <div class="strip" role="list" tabIndex={0} aria-label="Steps of the generation">
        {Array.from({ length: of }, (_, step) => {
          const state = pictures.get(step)?.state;
          const drawn = steps.includes(step);
          return (
            <div key={step} role="listitem" data-drawn={drawn}>
              {state
                ? <PictureCanvas picture={state} label={`State before step ${step}`} />
                : <span class="empty" />}
              <span>{drawn || step % 5 === 0 ? step : "\u00a0"}</span>
            </div>
          );
        })}
      </div>
    </>
  );
}

const WORDS = {
  honest: "honest: all that was checked holds",
  suspect: "suspect: further off than honest machines are",
  invalid: "invalid: what was signed does not hold",
} as const;

function Result({ report }: { readonly report: Report }) {
  const { cost, steps } = report;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  return (
    <section aria-live="polite">
      <h2>Verdict</h2>
      <p class="verdict" data-verdict={report.verdict}>{WORDS[report.verdict]}</p>
      {report.reasons.map((reason) => <p key={reason}>{reason}</p>)}
      <p class="small faint">
        {report.opened.length} of {report.of} steps, level {report.level}; {cost.openings}{" "}
        openings of {(cost.bytes / 1000).toFixed(1)} kB in {seconds(cost.openingMs)};{" "}
        {cost.evaluations} steps through the network in {seconds(cost.networkMs)},{" "}
        {(100 * cost.share).toFixed(1)} % of making the image; {seconds(cost.totalMs)} in all.
      </p>
      {steps.some((row) => row.velocityError !== undefined) && <ErrorPlot report={report} />}
      {steps.length > 0 && <StepTable report={report} />}
      <Comparison />
      <p>
        <a
          href={`data:application/json,${encodeURIComponent(JSON.stringify(report, null, 2))}`}
          download={`verdict-${report.receipt.slice(0, 16)}.json`}
        >
          Download as JSON
        </a>
      </p>
    </section>
  );
}

function StepTable({ report }: { readonly report: Report }) {
  const short = (value: number | undefined) => value === undefined ? "-" : value.toPrecision(3);
  return (
    <div class="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Values outside</th>
            <th scope="col">Similarity</th>
            <th scope="col">Velocity error</th>
            <th scope="col">Tolerance</th>
          </tr>
        </thead>
        <tbody>
          {report.steps.map((row) => (
            <tr key={row.step}>
              <td>{row.step}</td>
              <td>{row.outside ?? "-"}</td>
              <td>{row.similarity?.toFixed(6) ?? "-"}</td>
              <td>{short(row.velocityError)}</td>
              <td>{short(row.tolerance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What the miner says the network said, what it says here, and where they differ. */
function Comparison() {
  const compared = [...check.value.pictures].filter(([, { difference }]) => difference)
    .sort(([a], [b]) => a - b);
  if (compared.length === 0) return null;
  return (
    <>
      <h3>Predictions: the miner's, ours, and where they differ</h3>
      <div class="compare">
        {compared.map(([step, { theirs, ours, difference }]) => (
          <figure key={step}>
            <figcaption class="small">Step {step}</figcaption>
            <div class="three">
              {theirs && <PictureCanvas picture={theirs} label={`The miner's, step ${step}`} />}
              {ours && <PictureCanvas picture={ours} label={`Ours, step ${step}`} />}
              {difference && (
                <PictureCanvas picture={difference} label={`Difference at step ${step}`} />
              )}
              <span>miner</span>
              <span>ours</span>
              <span>difference</span>
            </div>
          </figure>
        ))}
      </div>
    </>
  );
}
