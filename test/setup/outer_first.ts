import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By how long their tests take: whole subnets and browsers, then parts of them. */
const FOLDERS = ["/test/e2e/", "/test/browser/", "/test/server/"];

/** Begins with the files that take longest: none of them is alone at the end. */
export class OuterFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = FOLDERS.findIndex((folder) => moduleId.includes(folder));
  return place < 0 ? FOLDERS.length : place;
}
