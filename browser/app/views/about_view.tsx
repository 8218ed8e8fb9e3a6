import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { reason } from "../../../core/error.ts";
import {
  answered,
  attempt,
  capabilities,
  complain,
  engine,
  forgetAll,
  kept,
  problem,
} from "../state/mod.ts";
import { countOf } from "../api/mod.ts";

import { clearKey, clearPages, clearRecords } from "../storage/mod.ts";
import { ProblemView } from "./problem_view.tsx";

const stored = signal<number | undefined>(undefined);

/** What this browser can do, and what is kept on this machine. */
export function AboutView() {
  const found = capabilities.value;
  const [said, setSaid] = useState("");
  // Each time: what was made and checked meanwhile has left weights here.
  useEffect(() => void attempt("browser", look), []);
  return (
    <section>
      <h2>This browser</h2>
      <dl>
        <dt>GPU</dt>
        <dd>
          {found ? found.gpu ?? `none: ${found.gpuProblem}; the CPU computes` : "looking for one"}
          {found?.software && " (software, slower than the CPU)"}
        </dd>
        <dt>CPU threads</dt>
        <dd>{found?.threads ?? ""}</dd>
        <dt>Weights here</dt>
        <dd>{stored.value !== undefined && `${(stored.value / 1e6).toFixed(1)} MB`}</dd>
        <dt>Receipts here</dt>
        <dd>{kept.value?.length}</dd>
      </dl>
      <p class="row">
        <ClearButton
          clear={() =>
            void attempt("browser", async () => {
              setSaid("");
              setSaid(await clear());
            })}
        />
        <a class="button" href="./bench.html">Measure the kernels on this GPU</a>
        <span role="status">{said}</span>
      </p>
      <ProblemView at="browser" />
    </section>
  );
}

/** Asks first: receipts whose steps are no longer opened cannot be fetched again. */
function ClearButton({ clear }: { readonly clear: () => void }) {
  const [asked, setAsked] = useState(false);
  if (!asked) return <button type="button" onClick={() => setAsked(true)}>Clear everything</button>;
  const answer = (yes: boolean) => {
    setAsked(false);
    if (yes) clear();
  };
  return (
    <span class="row" role="group" aria-label="Clear everything?">
      <span>
        Forget{" "}
        {countOf(kept.value?.length ?? 0, "receipt")}, their verdicts, your images and key, and all
        weights?
      </span>
      <button type="button" onClick={() => answer(true)}>Forget them</button>
      <button type="button" ref={(button) => button?.focus()} onClick={() => answer(false)}>
        Keep them
      </button>
    </span>
  );
}

async function look(): Promise<void> {
  stored.value = await answered(engine.storedBytes());
}

/**
 * Clears the other stores even where one cannot be cleared.
 * @returns the result in words.
 */
async function clear(): Promise<string> {
  problem.value = undefined;
  const cleared = await Promise.allSettled([
    answered(engine.clear()),
    clearRecords(),
    clearPages(),
  ]);
  clearKey();
  await forgetAll();
  await look();
  const failed = cleared.find((each) => each.status === "rejected");
  if (!failed) return "Everything was deleted.";
  complain("browser", reason(failed.reason));
  return "";
}
