import type { ClusterStatus } from "./cluster_status.ts";
import type { NeuronStatus } from "./neuron_status.ts";

/** All that is looked at. */
export interface Status {
  readonly cluster?: ClusterStatus;
  readonly neurons: readonly NeuronStatus[];
}
