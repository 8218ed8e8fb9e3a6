import { copyContenders } from "./copy_contenders.ts";
import { GpuTimer } from "./gpu_timer.ts";
import { type Workbench, Workspace } from "./workbench.ts";

const BYTES = 2 ** 24;
const REPEATS = 32;
const ROUNDS = 3;

/** A device's clock must show this part of the wall clock's time at least, and not more than all. */
const MIN = 0.3;
const MAX = 1.05;

/**
 * A timer that uses timestamps only where a trial shows them sane: software adapters and browsers
 * that blur their clocks may give anything.
 */
export async function trustedTimer(bench: Workbench): Promise<GpuTimer> {
  const timer = new GpuTimer(bench.gpu);
  if (!timer.hasTimestamps || await isSane({ ...bench, timer })) return timer;
  timer[Symbol.dispose]();
  return new GpuTimer(bench.gpu, false);
}

async function isSane(bench: Workbench): Promise<boolean> {
  await using space = new Workspace(bench);
  for (const contender of await copyContenders(space, BYTES)) {
    await contender.run(REPEATS);
    for (let round = 0; round < ROUNDS; round++) {
      const { wallMs, gpuMs = NaN } = await contender.run(REPEATS);
      if (!(gpuMs >= MIN * wallMs && gpuMs <= MAX * wallMs)) return false;
    }
  }
  return true;
}
