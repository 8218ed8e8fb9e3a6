import { signal } from "@preact/signals";
import { engine } from "../engine.ts";
import { capabilities, kept, subject, tell, verdicts } from "../state.ts";
import { clearRecords } from "../storage/mod.ts";

const stored = signal<number | undefined>(undefined);

/** What this browser can, and what is kept on this machine. */
export function AboutView() {
  const found = capabilities.value;
  if (stored.value === undefined) void look();
  return (
    <section>
      <h2>This browser</h2>
      <dl>
        <dt>GPU</dt>
        <dd>
          {found?.gpu ?? found?.gpuProblem ?? "looking"}
          {found?.software && " (software: slower than the CPU)"}
          {found && !found.gpu && ": the CPU computes instead"}
        </dd>
        <dt>CPU threads</dt>
        <dd>{found?.threads ?? ""}</dd>
        <dt>Weights here</dt>
        <dd>{((stored.value ?? 0) / 1e6).toFixed(1)} MB</dd>
        <dt>Receipts here</dt>
        <dd>{kept.value.length}</dd>
      </dl>
      <p class="row">
        <button type="button" onClick={() => void tell(clear)}>Clear everything</button>
        <a href="/bench.html">Measure the kernels on this GPU</a>
      </p>
    </section>
  );
}

async function look(): Promise<void> {
  stored.value = 0;
  stored.value = await engine.storedBytes();
}

async function clear(): Promise<void> {
  await engine.clearWeights();
  await clearRecords();
  [kept.value, verdicts.value, subject.value] = [[], new Map(), undefined];
  await look();
}
