import { AppError } from "../error.ts";
import type { Session } from "./runtime.ts";
import { ADAPTER_SCALES } from "../architecture/mod.ts";
import { type Tensor, tensorFor, type TensorSpec } from "./tensor.ts";

/** The graph of one part of a model (`unet`, ...): its session, with errors that name the file. */
export interface Graph {
  readonly path: string;
  readonly session: Session;
}

/** @throws AppError `model_invalid` saying what the graph has instead. */
export function inputOf({ path, session }: Graph, name: string): TensorSpec {
  return named(path, "input", session.inputs, name);
}

/** @throws AppError `model_invalid` saying what the graph has instead. */
export function outputOf({ path, session }: Graph, name: string): TensorSpec {
  return named(path, "output", session.outputs, name);
}

function named(
  path: string,
  kind: string,
  specs: readonly TensorSpec[],
  name: string,
): TensorSpec {
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec) return spec;
  const names = specs.map((candidate) => candidate.name).join(", ");
  throw new AppError(
    "model_invalid",
    `Cannot use ${path}: no ${kind} is ${name} (it has ${names})`,
  );
}

/** How far each adapter changes the weights, for a graph that adapters change. */
export function feedAdapters(graph: Graph, scales: readonly number[]): Record<string, Tensor> {
  const { session } = graph;
  if (!session.inputs.some(({ name }) => name === ADAPTER_SCALES)) return {};
  return feed(graph, ADAPTER_SCALES, Float32Array.from(scales), [scales.length]);
}

/**
 * Checks that we know what to feed to every input of a graph.
 * @throws AppError `model_invalid` naming the input that we don't.
 */
export function requireInputs(graph: Graph, known: readonly string[]): void {
  const unknown = graph.session.inputs.find(({ name }) =>
    name !== ADAPTER_SCALES && !known.includes(name)
  );
  if (!unknown) return;
  throw new AppError(
    "model_invalid",
    `Cannot use ${graph.path}: its input ${unknown.name} is none of ${known.join(", ")}`,
  );
}

/** Values for one input, in the type that it asks for. */
export function feed(
  graph: Graph,
  name: string,
  values: Float32Array,
  dims: readonly number[],
): Record<string, Tensor> {
  return { [name]: tensorFor(inputOf(graph, name), values, dims) };
}
