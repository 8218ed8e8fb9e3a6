import { readAtMost } from "../../core/bounded_body.ts";
import { reason } from "../../core/error.ts";

/** A miner or validator, as it answers. */
export interface NeuronStatus {
  readonly url: string;
  /** What keeps it from its work; none while it is ready. */
  readonly problems: readonly string[];
  /** Its metrics, summed over their labels, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

const ASK_MS = 5000;
const MAX_BYTES = 2 ** 20;

/** Asks a neuron for its readiness and metrics. One that does not answer has that as its problem. */
export async function neuronStatus(url: string): Promise<NeuronStatus> {
  try {
    const [ready, metrics] = await Promise.all([ask(url, "/readyz"), ask(url, "/metrics")]);
    const { problems = [] } = JSON.parse(ready) as { readonly problems?: readonly string[] };
    return { url, problems, metrics: sumsOf(metrics) };
  } catch (error) {
    return { url, problems: [`It does not answer: ${reason(error)}.`], metrics: {} };
  }
}

async function ask(url: string, path: string): Promise<string> {
  const signal = AbortSignal.timeout(ASK_MS);
  const bytes = await readAtMost(await fetch(new URL(path, url), { signal }), MAX_BYTES);
  if (!bytes) throw new Error(`its answer has more than ${MAX_BYTES} bytes`);
  return new TextDecoder().decode(bytes);
}

/** Of Prometheus' text format: the values of a name added up. */
function sumsOf(text: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name && !name.endsWith("_bucket")) sums[name] = (sums[name] ?? 0) + Number(value);
  }
  return sums;
}
