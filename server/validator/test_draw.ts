import type { Asked } from "./miner_caller.ts";

/** A request that nobody needs, to measure a miner by. */
export interface TestRequest extends Pick<Asked, "request" | "format" | "manifest"> {
  /** In images of the model's default. */
  readonly work: number;
}

/** A new request each time, so that nothing can be made before; miners must not know it for a test. */
export type TestDraw = () => Promise<TestRequest>;
