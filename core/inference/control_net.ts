import { AppError } from "../error.ts";
import { feed, type Graph, inputOf, outputOf, requireInputs } from "./graph.ts";
import { type NetworkConditioning, takes, textInputs, timestepInput } from "./network_inputs.ts";
import { type Place, residualNames, type Residuals } from "./residuals.ts";
import { type ElementType, type GpuTensor, joinRows, type Tensor } from "./tensor.ts";

/** What a ControlNet is given that stays the same over a run. */
export interface ControlConditioning extends NetworkConditioning {
  /** f32[3, height, width] in 0..1. */
  readonly hint: Float32Array;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** An export's one scale, and the one for each residual that guess mode needs. */
const SCALES = ["conditioning_scale", "conditioning_scales"];
const INPUTS = [
  ...["sample", "timestep", "encoder_hidden_states", "controlnet_cond", "text_embeds", "time_ids"],
  ...SCALES,
];

/** A network beside the UNet that makes of the same sample and an image what is added to the UNet's skips. */
export class ControlNet {
  readonly path: string;
  readonly #graph: Graph;
  readonly #names: ReadonlyMap<Place, string>;
  readonly #scale: string;
  /** Dimensions of the residuals, by those of the sample. */
  readonly #shapes = new Map<string, ReadonlyMap<Place, readonly number[]>>();

  /** @throws AppError `model_invalid` when the graph is no ControlNet of this family. */
  constructor(graph: Graph) {
    requireInputs(graph, INPUTS);
    for (const name of INPUTS.slice(0, 4)) inputOf(graph, name);
    this.#graph = graph;
    this.path = graph.path;
    this.#names = residualNames(graph.session.outputs);
    this.#scale = SCALES.find((name) => takes(graph, name)) ?? noScale(graph);
  }

  get places(): readonly Place[] {
    return [...this.#names.keys()];
  }

  /** Of the residuals. */
  get type(): ElementType {
    return outputOf(this.#graph, this.#name(this.places[0])).type;
  }

  /** The inputs that stay the same over a run, one row for each text: both halves of guidance see the image. */
  constantInputs(conditioning: ControlConditioning): Readonly<Record<string, Tensor>> {
    const { text, hint, width, height } = conditioning;
    const hints = joinRows(text.map(() => hint));
    const dims = [text.length, 3, height, width];
    return {
      ...textInputs(this.#graph, conditioning),
      ...feed(this.#graph, "controlnet_cond", hints, dims),
    };
  }

  /**
   * @param sample f32[rows, channels, height, width], as the UNet is given it.
   * @param constant of as many rows, from {@link constantInputs}.
   * @param scale that the residuals are multiplied by.
   */
  async run(
    sample: Float32Array,
    dims: readonly number[],
    timestep: number,
    constant: Readonly<Record<string, Tensor>>,
    scale: number,
  ): Promise<Residuals> {
    const feeds = {
      ...feed(this.#graph, "sample", sample, dims),
      ...this.#varying(timestep, dims[0], scale),
      ...constant,
    };
    const results = await this.#graph.session.run(feeds, [...this.#names.values()]);
    return new Map([...this.#names].map(([place, name]) => [place, results[name]]));
  }

  /** As {@link run}, in buffers on the runtime's device and without waiting for it. */
  async runInto(
    sample: GpuTensor,
    timestep: number,
    constant: Readonly<Record<string, Tensor | GpuTensor>>,
    scale: number,
    outputs: Residuals<GpuTensor>,
  ): Promise<void> {
    const feeds = { sample, ...this.#varying(timestep, sample.dims[0], scale), ...constant };
    const named = [...outputs].map(([place, tensor]) => [this.#name(place), tensor]);
    await this.#graph.session.runInto(feeds, Object.fromEntries(named));
  }

  /**
   * Dimensions of the residuals of such a sample. No graph states them in numbers: it is run once.
   * @param constant as for {@link run}.
   */
  async shapes(
    dims: readonly number[],
    constant: Readonly<Record<string, Tensor>>,
  ): Promise<ReadonlyMap<Place, readonly number[]>> {
    const known = this.#shapes.get(dims.join());
    if (known) return known;
    const zeros = new Float32Array(dims.reduce((product, side) => product * side, 1));
    const residuals = await this.run(zeros, dims, 0, constant, 0);
    const shapes = new Map([...residuals].map(([place, tensor]) => [place, tensor.dims]));
    this.#shapes.set(dims.join(), shapes);
    return shapes;
  }

  #varying(timestep: number, rows: number, scale: number): Record<string, Tensor> {
    const { dims: [count] } = inputOf(this.#graph, this.#scale);
    const scales = new Float32Array(typeof count === "number" ? count : 1).fill(scale);
    return {
      ...timestepInput(this.#graph, [timestep], rows),
      ...feed(this.#graph, this.#scale, scales, count === undefined ? [] : [scales.length]),
    };
  }

  #name(place: Place): string {
    return this.#names.get(place) ?? place;
  }
}

function noScale({ path }: Graph): never {
  const why = `it has none of the inputs ${SCALES.join(", ")}`;
  throw new AppError("model_invalid", `Cannot use the ControlNet ${path}: ${why}`);
}
