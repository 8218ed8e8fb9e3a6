import type { Contender } from "./contender.ts";
import type { BenchSize, BenchUnit } from "../report/mod.ts";
import type { Workspace } from "./workbench.ts";

/** Something to compute, in several ways, at any size. */
export interface BenchCase {
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  readonly unit: BenchUnit;
  /** How far a result may be from the reference: |a - b| / (1 + |b|). */
  readonly tolerance: number;
  /**
   * Brings the data to the device. The bench adds the copies that the kernels are compared with.
   */
  prepare(space: Workspace, size: BenchSize): Promise<readonly Contender[]>;
}
