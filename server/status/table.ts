import type { ClusterStatus } from "./cluster_status.ts";
import type { NeuronStatus } from "./neuron_status.ts";
import type { Status } from "./status.ts";

/** Metrics that are shown, by what they are called here. */
const SHOWN: readonly (readonly [label: string, metric: string])[] = [
  ["waiting", "stepwise_queued"],
  ["running", "stepwise_running"],
  ["workers", "stepwise_workers"],
  ["images", "stepwise_images_total"],
  ["requests", "stepwise_generations_total"],
  ["checks", "stepwise_checks_total"],
  ["miners", "stepwise_miners"],
  ["drifting", "stepwise_miners_drifting"],
  ["weights at block", "stepwise_weights_block"],
];

/** For a terminal. */
export function statusTable({ cluster, neurons }: Status): string {
  return [...cluster ? clusterLines(cluster) : [], ...neurons.flatMap(neuronLines)].join("\n");
}

function clusterLines({ workers, queues, dead }: ClusterStatus): string[] {
  return [
    `cluster: ${workers.length} workers, ${dead.length} jobs that nobody could do`,
    ...queues.map(({ model, waiting, taken }) => `  ${model}: ${waiting} waiting, ${taken} taken`),
    ...workers.map(({ id, host, compute, running, batch }) =>
      `  ${host} ${id.slice(0, 8)}: ${running} of ${batch} running, ${compute}`
    ),
    ...dead.map((id) => `  dead: ${id}`),
  ];
}

function neuronLines({ url, problems, metrics }: NeuronStatus): string[] {
  const facts = SHOWN.filter(([, metric]) => metrics[metric] !== undefined)
    .map(([label, metric]) => `${label} ${metrics[metric]}`);
  const state = problems.length === 0 ? "ready" : "not ready";
  return [
    `${url}: ${[state, ...facts].join(", ")}`,
    ...problems.map((problem) => `  ${problem}`),
  ];
}
