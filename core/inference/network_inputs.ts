import { feed, type Graph, inputOf } from "./graph.ts";
import { joinRows, type Tensor } from "./tensor.ts";
import type { TextEmbedding } from "./text_encoder.ts";

/** What a denoising network and its ControlNets are given beside sample and timestep. */
export interface NetworkConditioning {
  /** One for each row of the sample. */
  readonly text: readonly TextEmbedding[];
  /** SDXL: original height and width, crop top and left, target height and width, in pixels. */
  readonly timeIds: readonly number[];
}

/** Text and, where the graph takes them, what is pooled of it and SDXL's sizes: one row for each text. */
export function textInputs(
  graph: Graph,
  { text, timeIds }: NetworkConditioning,
): Readonly<Record<string, Tensor>> {
  const hidden = joinRows(text.map((row) => row.hidden));
  const { tokens } = text[0];
  const width = hidden.length / text.length / tokens;
  const states = feed(graph, "encoder_hidden_states", hidden, [text.length, tokens, width]);
  return { ...states, ...pooledInput(graph, text), ...sizesInput(graph, text, timeIds) };
}

function pooledInput(graph: Graph, text: readonly TextEmbedding[]): Record<string, Tensor> {
  if (!takes(graph, "text_embeds")) return {};
  const pooled = joinRows(text.map((row) => row.pooled ?? new Float32Array()));
  return feed(graph, "text_embeds", pooled, [text.length, pooled.length / text.length]);
}

function sizesInput(
  graph: Graph,
  { length: rows }: readonly TextEmbedding[],
  timeIds: readonly number[],
): Record<string, Tensor> {
  if (!takes(graph, "time_ids")) return {};
  const ids = joinRows(Array.from({ length: rows }, () => Float32Array.from(timeIds)));
  return feed(graph, "time_ids", ids, [rows, timeIds.length]);
}

/** A scalar, one for all rows, or one a row: as the graph's own shape says. */
export function timestepInput(
  graph: Graph,
  timesteps: readonly number[],
  rows: number,
): Record<string, Tensor> {
  const { dims } = inputOf(graph, "timestep");
  const batch = inputOf(graph, "sample").dims[0];
  const perRow = typeof dims[0] === "string" && dims[0] !== "" && dims[0] === batch;
  const values = perRow && timesteps.length === 1
    ? new Float32Array(rows).fill(timesteps[0])
    : Float32Array.from(timesteps);
  return feed(graph, "timestep", values, dims.length === 0 ? [] : [values.length]);
}

export function takes({ session }: Graph, name: string): boolean {
  return session.inputs.some((input) => input.name === name);
}
