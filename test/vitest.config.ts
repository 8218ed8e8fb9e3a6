import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";
import { wgslText } from "../browser/wgsl_text.ts";
import { OuterFirst } from "./setup/outer_first.ts";
import { SlowestTests } from "./setup/slowest_tests.ts";

const ROOT = new URL("..", import.meta.url).pathname;

export default defineConfig({
  plugins: [wgslText()],
  test: {
    root: ROOT,
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // One more than there are cores: a test of processes waits for them most of its time.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: OuterFirst },
    // What hangs ends some time; how quick a test is, no clock of a busy machine can say.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    reporters: ["default", new SlowestTests()],
    // What no test imports but reads or builds: after a change of it `--changed` runs them all.
    forceRerunTriggers: [
      ...configDefaults.forceRerunTriggers,
      ...["browser", "models", "test/golden"].map((folder) => `${ROOT}${folder}/**`),
    ],
  },
});
