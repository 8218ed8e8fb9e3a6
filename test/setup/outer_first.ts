import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, in this order; then whole subnets and browsers, and parts of them. */
const PLACES = [
  "/test/browser/tab.test",
  "/test/server/pipeline.test",
  "/test/e2e/demo.test",
  "/test/e2e/subnet.test",
  "/test/browser/chrome_host.test",
  "/test/browser/tab_receipts.test",
  "/test/browser/bench.test",
  "/test/e2e/bad_miner.test",
  "/test/server/adversary/study.test",
  "/test/e2e/",
  "/test/browser/",
  "/test/server/",
];

/** Begins with the files that take longest: none of them is alone at the end. */
export class OuterFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = PLACES.findIndex((part) => moduleId.includes(part));
  return place < 0 ? PLACES.length : place;
}
