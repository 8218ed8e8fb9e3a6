import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";
import { wgslText } from "../browser/wgsl_text.ts";
import { OuterFirst } from "./setup/outer_first.ts";
import { SlowestTests } from "./setup/slowest_tests.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** `vi.mock` replaces modules, and files elsewhere find packages, in Vite's runner alone. */
const BY_VITE = [
  "test/core/verifier/own_codec.test.ts",
  "test/e2e/decode_once.test.ts",
  "test/house/{examples,figures}.test.ts",
  "test/server/calibrate/exit_code.test.ts",
  "test/server/chain/wallet/wallet.test.ts",
];

/** Devices, browsers, subnets and what looks at its own process: a process a file. */
const OWN_PROCESS = [
  "test/browser/{bench,chrome_host,core,kernels,tab,tab_receipts}.test.ts",
  "test/e2e/**/*.test.ts",
  "test/server/compute/**/*.test.ts",
  "test/server/miner/miner.test.ts",
  "test/server/{overflow,pipeline}.test.ts",
];

/** Deno runs TypeScript as it is: without Vite in between a file costs half as much to import. */
const NATIVE = { experimental: { viteModuleRunner: false, nodeLoader: false } } as const;

export default defineConfig({
  plugins: [wgslText()],
  test: {
    root: ROOT,
    pool: "forks",
    // Twice as many as there are cores: with half as many more, the gate computed for 128 of 200 %.
    maxWorkers: 2 * availableParallelism(),
    sequence: { sequencer: OuterFirst },
    // What hangs ends some time; how quick a test is, no clock of a busy machine can say.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    teardownTimeout: 300_000,
    reporters: ["default", new SlowestTests()],
    // What no test imports but reads or builds: after a change of it `--changed` runs them all.
    forceRerunTriggers: [
      ...configDefaults.forceRerunTriggers,
      ...["browser", "models", "test/golden"].map((folder) => `${ROOT}${folder}/**`),
    ],
    projects: [
      {
        extends: true,
        test: { ...NATIVE, name: "own process", include: OWN_PROCESS, exclude: BY_VITE },
      },
      { extends: true, test: { name: "by Vite", include: BY_VITE } },
      {
        extends: true,
        test: {
          ...NATIVE,
          name: "shared process",
          isolate: false,
          include: ["test/**/*.test.ts"],
          exclude: [...OWN_PROCESS, ...BY_VITE],
        },
      },
    ],
  },
});
