import { AppError } from "../error.ts";
import { GraphBuilder, type OnnxGraph } from "../onnx/mod.ts";
import type { ElementType, Tensor } from "./tensor.ts";

/**
 * Where a ControlNet adds to a UNet: `mid`, or the number of a skip. Exports spell it in three ways, and
 * a UNet may spell it other than its ControlNet.
 */
export type Place = string;

/** What is added to a UNet, by place. */
export type Residuals<T = Tensor> = ReadonlyMap<Place, T>;

const SPELLINGS = [
  /^down_block_additional_residual_(\d+)$/,
  /^down_block_(\d+)_additional_residual$/,
  /^down\.(\d+)$/,
];

/** Which place a graph's input or output is of; undefined for another one. */
function placeOf(name: string): Place | undefined {
  if (name === "mid" || name === "mid_block_additional_residual") return "mid";
  for (const spelling of SPELLINGS) {
    const [, place] = spelling.exec(name) ?? [];
    if (place !== undefined) return place;
  }
  return undefined;
}

/** The names of a graph's residuals, by place. */
export function residualNames(
  specs: readonly { readonly name: string }[],
): ReadonlyMap<Place, string> {
  return new Map(specs.flatMap(({ name }) => {
    const place = placeOf(name);
    return place === undefined ? [] : [[place, name] as const];
  }));
}

/** @throws AppError `model_invalid` for a ControlNet that was made for another kind of UNet. */
export function requireSamePlaces(
  unet: { readonly path: string; readonly places: Iterable<Place> },
  control: { readonly path: string; readonly places: Iterable<Place> },
): void {
  const [taken, given] = [unet, control].map(({ places }) => [...places].sort());
  if (taken.join() === given.join()) return;
  throw new AppError(
    "model_invalid",
    `Cannot use the ControlNet ${control.path} with ${unet.path}: it makes ${given.length} residuals, ` +
      `and the UNet takes ${taken.length}; take one that was made for this kind of model`,
  );
}

/**
 * The sums of the residuals of two ControlNets, as a graph: `a.i` and `b.i` to `sum.i`, for a device on
 * which they lie.
 */
export function sumGraph(count: number, type: ElementType): OnnxGraph {
  const g = new GraphBuilder();
  for (let i = 0; i < count; i++) {
    const dims = ["batch", `channels_${i}`, `height_${i}`, `width_${i}`];
    const [a, b] = ["a", "b"].map((side) => g.input({ name: `${side}.${i}`, type, dims }));
    g.output({ name: `sum.${i}`, type, dims }, g.op("Add", [a, b]));
  }
  return g.finish();
}
