import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, in this order; then whole subnets and browsers, and parts of them. */
const PLACES = [
  "/test/browser/tab.test",
  "/test/e2e/demo.test",
  "/test/browser/tab_receipts.test",
  "/test/e2e/subnet.test",
  "/test/browser/chrome_host.test",
  "/test/browser/bench.test",
  "/test/e2e/bad_miner.test",
  "/test/server/pipeline.test",
  "/test/server/adversary/study.test",
  "/test/browser/agreement.test",
  "/test/server/models/checkpoint.test",
  "/test/server/chain/client/",
  "/test/e2e/",
  "/test/browser/",
  "/test/server/",
  "/test/core/hostile_decoders.test",
];

/**
 * Begins with the files that take longest: none of them is alone at the end. Files that share
 * processes come last and in one go, as others in between would end those processes.
 */
export class OuterFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => shares(a) - shares(b) || rank(a) - rank(b));
  }
}

function shares({ project }: TestSpecification): number {
  return project.config.isolate ? 0 : 1;
}

function rank({ moduleId }: TestSpecification): number {
  const place = PLACES.findIndex((part) => moduleId.includes(part));
  return place < 0 ? PLACES.length : place;
}
