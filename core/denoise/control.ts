import {
  type ControlledUnet,
  type ControlNet,
  floats,
  type Place,
  type Residuals,
  type Tensor,
  type TextEmbedding,
} from "../inference/mod.ts";
import { LATENT_SCALE } from "../latent_scale.ts";
import type { LatentDims } from "./latent_dims.ts";

/** The ControlNets of a run, and the UNet that they add to. */
export interface RunControl extends Pick<ControlledUnet, "unet" | "sum"> {
  /** What they make is summed, in this order. */
  readonly controls: readonly Control[];
}

export interface Control {
  readonly net: ControlNet;
  /** f32[3, height, width] in 0..1, pixels of what is made. */
  readonly hint: Float32Array;
  /** What the residuals are multiplied by at a step; 0 where the network is not used. */
  readonly scaleAt: (index: number, steps: number) => number;
}

/** A ControlNet with its inputs that stay the same, for one group of images. */
export interface GroupControl {
  readonly control: Control;
  readonly constant: Readonly<Record<string, Tensor>>;
}

/** One call of the network. */
export interface NetworkCall {
  /** f32[rows, channels, height, width], scaled for the network. */
  readonly sample: Float32Array;
  readonly dims: readonly number[];
  readonly timestep: number;
  /** Of the step, from 0, and of how many. */
  readonly index: number;
  readonly steps: number;
}

export function groupControls(
  run: RunControl | undefined,
  { text, timeIds, dims: [, height, width] }: {
    readonly text: readonly TextEmbedding[];
    readonly timeIds: readonly number[];
    readonly dims: LatentDims;
  },
): readonly GroupControl[] {
  const size = { height: LATENT_SCALE * height, width: LATENT_SCALE * width };
  return run?.controls.map((control) => {
    const { net, hint } = control;
    return { control, constant: net.constantInputs({ text, timeIds, hint, ...size }) };
  }) ?? [];
}

/** The UNet's inputs from its ControlNets at one step, in memory; none in a run without control. */
export async function controlInputs(
  run: RunControl | undefined,
  groups: readonly GroupControl[],
  call: NetworkCall,
): Promise<Readonly<Record<string, Tensor>>> {
  if (!run) return {};
  const { sample, dims, timestep, index, steps } = call;
  let total: Residuals | undefined;
  for (const { control: { net, scaleAt }, constant } of groups) {
    const scale = scaleAt(index, steps);
    if (scale === 0) continue;
    const residuals = await net.run(sample, dims, timestep, constant, scale);
    total = total ? added(total, residuals) : residuals;
  }
  return run.unet.residualInputs(total ?? await nothing(groups, dims));
}

function added(one: Residuals, other: Residuals): Residuals {
  return new Map([...one].map(([place, { dims, ...tensor }]): [Place, Tensor] => {
    const second = other.get(place);
    const own = floats({ dims, ...tensor });
    if (!second) return [place, { dims, type: "float32", data: own }];
    const more = floats(second);
    return [place, { dims, type: "float32", data: own.map((value, i) => value + more[i]) }];
  }));
}

/** Residuals of ControlNets that are all off. */
async function nothing(
  [{ control: { net }, constant }]: readonly GroupControl[],
  dims: readonly number[],
): Promise<Residuals> {
  const shapes = await net.shapes(dims, constant);
  return new Map([...shapes].map(([place, shape]): [Place, Tensor] => {
    const length = shape.reduce((product, side) => product * side, 1);
    return [place, { type: "float32", dims: shape, data: new Float32Array(length) }];
  }));
}
