import { brokenRungs, reportRungs, type Rung, runningRungs } from "./ladder.ts";
import { check, report } from "../state/mod.ts";

const MARKS = { open: "·", running: "…", done: "✓", failed: "✗" } as const;

/** Rungs that light up as the check climbs. */
export function LadderView() {
  const rungs = rungsOf();
  // What a screen reader announces on a change has to be there before.
  return (
    <div aria-live="polite">
      {rungs.length > 0 && (
        <ol class="ladder">
          {rungs.map(({ stage, name, state, detail }) => (
            <li key={stage} data-state={state} data-stage={stage}>
              <span aria-label={state} role="img">{MARKS[state]}</span>
              <span>{name}</span>
              <span class="small">{detail}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

function rungsOf(): Rung[] {
  const state = check.value;
  if (report.value) return reportRungs(report.value, state?.said.get("model") ?? "");
  if (!state) return [];
  return (state.running ? runningRungs : brokenRungs)(state.level, state.said);
}
