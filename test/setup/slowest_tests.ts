import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const ROOT = new URL("../..", import.meta.url).pathname;
const SHOWN = 10;

/** Prints after each run which tests took longest: a slow new test shows up there. */
export class SlowestTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
      .filter((test) => test.result().state !== "skipped");
    if (tests.length <= SHOWN) return;
    const slowest = tests.toSorted((a, b) => secondsOf(b) - secondsOf(a)).slice(0, SHOWN);
    console.log(
      `\nThe ${SHOWN} slowest of ${tests.length} tests:\n${slowest.map(line).join("\n")}\n`,
    );
  }
}

function secondsOf(test: TestCase): number {
  return (test.diagnostic()?.duration ?? 0) / 1000;
}

function line(test: TestCase): string {
  const file = relative(ROOT, test.module.moduleId);
  return `${secondsOf(test).toFixed(1).padStart(7)} s  ${file}: ${test.fullName}`;
}
