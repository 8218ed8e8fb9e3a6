import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Level, Report } from "../../../core/verifier/mod.ts";
import {
  addressOf,
  capabilities,
  check,
  checking,
  complain,
  compute,
  engine,
  reach,
  report,
  runCheck,
  subject,
} from "../state/mod.ts";

import type { CheckOrder, ComputeChoice, TabReport } from "../api/mod.ts";
import { AttestView } from "./attest_view.tsx";
import { CopyLink } from "./copy_link.tsx";
import { Evidence } from "./evidence.tsx";
import { ProblemView } from "./problem_view.tsx";
import { MadeFromView } from "./made_from_view.tsx";
import { LadderView } from "./ladder_view.tsx";
import { ReceiptCard, ReceiptFacts } from "./receipt_card.tsx";
import { ReportDownload, ResultView } from "./result_view.tsx";
import { StripView } from "./strip_view.tsx";
import { verdictWords } from "./verdict_words.ts";

const LEVELS: readonly (readonly [Level, string])[] = [
  [0, "0: signature and proofs"],
  [1, "1: and the arithmetic"],
  [2, "2: and the network"],
  [3, "3: and the image"],
];

const level = signal<Level>(3);
const how = signal<"private" | "witnessed" | "public" | "chosen">("private");
const count = signal(3);
const blockHash = signal("");
const node = signal("");
const witness = signal("");
const picked = signal("");

/** The receipt that is looked at: the verdict first, and below it the evidence. */
export function CheckView() {
  const stored = subject.value;
  const running = check.value?.running ?? false;
  const place = useRef<HTMLDivElement>(null);
  // What the button starts may be below the screen.
  useEffect(() => {
    if (running || (check.value && isOnScreen(place.current))) place.current?.scrollIntoView();
  }, [running]);
  if (!stored) return null;
  const found = report.value;
  return (
    <>
      <div ref={place}>
        <ReceiptCard stored={stored}>
          <VerdictView running={running} report={found} />
          <Settings />
          <ProblemView at="check" />
          <VerdictText />
          <LadderView />
        </ReceiptCard>
      </div>
      <MadeFromView stored={stored} />
      <section>
        <StripView of={stored.receipt.steps} drawn={drawnSteps()} failed={failedSteps(found)} />
      </section>
      {found && (
        <Evidence title="Figures of the check">
          <ResultView report={found} />
        </Evidence>
      )}
      <Evidence title="What was signed">
        <ReceiptFacts stored={stored} />
      </Evidence>
      {found && found.code !== "opening_withheld" && !found.statementOnly && (
        <Evidence title="Attestations">
          <AttestView key={stored.id} stored={stored} report={found} />
        </Evidence>
      )}
    </>
  );
}

/** The verdict, large; its line is there before it is known, so that what is below does not move. */
function VerdictView({ running, report }: {
  readonly running: boolean;
  readonly report: TabReport | undefined;
}) {
  const words = report && verdictWords(report);
  return (
    <p role="status" class={words ? "verdict" : "verdict faint"} data-verdict={words?.kind}>
      {words?.title ?? (running ? "Checking..." : "Not checked yet")}
    </p>
  );
}

/** What the verdict means. */
function VerdictText() {
  const found = report.value;
  if (!found) return null;
  return (
    <div class="meaning">
      <p>{verdictWords(found).text}</p>
      {found.reasons.map((reason) => <p key={reason} class="small">{reason}</p>)}
      {found.code === "opening_withheld" && (
        <p class="small">
          Most miners keep the steps for 15 minutes, and this browser has to be online to ask for
          them.
        </p>
      )}
      <p class="small">
        <ReportDownload report={found} />
      </p>
    </div>
  );
}

/** Whether any of it is visible. */
function isOnScreen(element: Element | null): boolean {
  if (!element) return false;
  const { top, bottom } = element.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

/** Of the check that runs or ended with a verdict; else of the verdict before it. */
function drawnSteps(): readonly number[] {
  const { running, report: own, steps } = check.value ?? {};
  return (running || own ? steps : undefined) ?? report.value?.opened ?? [];
}

/** Steps at which a check found more than honest machines differ by. */
function failedSteps(found: Report | undefined): readonly number[] {
  return (found?.steps ?? [])
    .filter(({ outside = 0, velocityError = 0, tolerance = Infinity }) =>
      outside > 0 || !(velocityError <= tolerance)
    )
    .map(({ step }) => step);
}

function Settings() {
  const { level: max, why } = reach.value;
  const asked = level.value < max ? level.value : max;
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const steps = checking.value ? undefined : stepsOf();
        if (steps) void runCheck({ level: asked, steps });
      }}
    >
      <span class="row act">
        <RunButtons text="Check" running={checking.value} />
        {subject.value && <CopyLink key={subject.value.id} to={addressOf(subject.value)} />}
      </span>
      <details class="settings">
        <summary class="small">How far, which steps, and what computes</summary>
        <div class="row">
          <label>
            Level{" "}
            <select
              value={asked}
              onChange={(event) => level.value = Number(event.currentTarget.value) as Level}
            >
              {LEVELS.map(([value, text]) => (
                <option key={value} value={value} disabled={value > max}>{text}</option>
              ))}
            </select>
          </label>
          <fieldset disabled={max === 0}>
            <StepSettings />
          </fieldset>
          <ComputeSelect />
        </div>
      </details>
      {why !== undefined && <p class="small faint wide">{why}</p>}
    </form>
  );
}

function StepSettings() {
  return (
    <>
      <label>
        Steps{" "}
        <select
          value={how.value}
          onChange={(event) => how.value = event.currentTarget.value as typeof how.value}
        >
          <option value="private">drawn by this tab</option>
          <option value="witnessed">drawn by a block of the chain</option>
          <option value="public">drawn by a hash that you type</option>
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
              value={countOfReceipt()}
              onInput={(event) => count.value = Number(event.currentTarget.value)}
            />
          </label>
        )}
      {how.value === "witnessed" && <WitnessFields />}
      {how.value === "public" && (
        <label title="Of a block that was made after the receipt: nobody could choose its steps">
          Block's hash{" "}
          <input
            class="mono"
            placeholder="0x..."
            value={blockHash.value}
            onInput={(event) => blockHash.value = event.currentTarget.value}
          />
        </label>
      )}
    </>
  );
}

/** Which block draws, and where its hash is read. */
function WitnessFields() {
  return (
    <>
      <label title="What the validator signed when it had the receipt: which block draws its steps">
        Witness{" "}
        <textarea
          class="mono"
          rows={1}
          spellcheck={false}
          placeholder='{"receipt":...,"block":...}'
          value={witness.value}
          onInput={(event) => witness.value = event.currentTarget.value}
        />
      </label>
      <label title="Whom you trust to say what that block's hash is">
        Chain's node{" "}
        <input
          type="url"
          class="mono"
          placeholder="wss://..."
          value={node.value}
          onInput={(event) => node.value = event.currentTarget.value}
        />
      </label>
    </>
  );
}

/** Starts the check, and cancels it. */
function RunButtons(
  { text, running }: { readonly text: string; readonly running: boolean },
) {
  const begin = useRef<HTMLButtonElement>(null);
  const cancel = () => {
    void engine.cancel();
    // This button is removed, and the keyboard's focus would be lost with it.
    begin.current?.focus();
  };
  return (
    <>
      <button type="submit" class="main" ref={begin} aria-disabled={running}>{text}</button>
      {running && <button type="button" onClick={cancel}>Cancel</button>}
    </>
  );
}

/** What computes, with what this browser has. */
export function ComputeSelect() {
  const found = capabilities.value;
  const gpu = found?.gpu ?? (found ? "none" : "looking for one");
  return (
    <label
      title={`GPU: ${found?.gpu ?? found?.gpuProblem ?? gpu}; CPU: ${found?.threads ?? 1} threads`}
    >
      Compute on{" "}
      <select
        class="compute"
        value={compute.value}
        onChange={(event) => compute.value = event.currentTarget.value as ComputeChoice}
      >
        <option value="auto">
          {found && (!found.gpu || found.software) ? "automatic: the CPU" : "automatic"}
        </option>
        <option value="gpu" disabled={found?.gpu === undefined}>the GPU ({gpu})</option>
        <option value="cpu">the CPU</option>
      </select>
    </label>
  );
}

/** Steps to draw: no more than the receipt has, which may be fewer than an earlier one had. */
function countOfReceipt(): number {
  return Math.min(count.value, subject.value?.receipt.steps ?? Infinity);
}

/** The steps entered; undefined where they are wrong, which is shown. */
function stepsOf(): CheckOrder["steps"] | undefined {
  if (how.value !== "chosen") {
    const draw = Math.max(1, Math.floor(countOfReceipt()) || 1);
    if (how.value === "public") return { draw, blockHash: blockHash.value.trim() };
    if (how.value === "private") return { draw };
    return { draw, node: node.value.trim(), witness: witness.value };
  }
  const numbers = picked.value.split(/[\s,]+/).filter(Boolean).map(Number);
  if (numbers.length > 0 && numbers.every((step) => Number.isInteger(step) && step >= 0)) {
    return { take: numbers };
  }
  complain("check", "Cannot pick steps: write their numbers with commas, such as 0, 14, 29.");
  return undefined;
}
