import type { Model, Tensor, TextEmbedding } from "../inference/mod.ts";
import { type GroupControl, groupControls } from "./control.ts";
import { maskedInput } from "./masked_input.ts";
import type { LoopInput } from "./loop_input.ts";

/** Images that go through the network in one call, with its other inputs for them. */
export interface ImageGroup {
  /** Of the batch, from 0. */
  readonly first: number;
  readonly images: number;
  /** True when each image has a second row, for the negative prompt; these rows come first. */
  readonly guided: boolean;
  /** Rows of the network's tensors. */
  readonly rows: number;
  /** The network's inputs that stay the same over the run. */
  readonly constant: Readonly<Record<string, Tensor>>;
  /** The run's ControlNets, with theirs. */
  readonly controls: readonly GroupControl[];
}

/** Splits a batch into groups of as many images as the runtime takes in one call, and as are alike. */
export function groupImages(model: Model, input: LoopInput): ImageGroup[] {
  const groups: ImageGroup[] = [];
  const size = model.runtime.imagesPerCall;
  for (let first = 0; first < input.seeds.length;) {
    const images = alike(input, first, Math.min(size, input.seeds.length - first));
    groups.push(groupOf(model, input, first, images));
    first += images;
  }
  return groups;
}

/** How many images from the first on have prompts of as many tokens. */
function alike({ conditionings }: LoopInput, first: number, most: number): number {
  const { tokens } = conditionings[first].positive;
  const own = conditionings.slice(first, first + most);
  const other = own.findIndex(({ positive }) => positive.tokens !== tokens);
  return other < 0 ? own.length : other;
}

function groupOf(model: Model, input: LoopInput, first: number, images: number): ImageGroup {
  const { timeIds, guidanceScale, adapterScales, control, dims, source } = input;
  const own = input.conditionings.slice(first, first + images);
  const negatives = own.flatMap(({ negative }) => negative ?? []);
  const text: TextEmbedding[] = [...negatives, ...own.map(({ positive }) => positive)];
  const unet = control?.unet ?? model.unet;
  const masked = maskedInput(source, dims);
  const constant = unet.constantInputs({ text, timeIds, guidanceScale, adapterScales, masked });
  const controls = groupControls(control, { text, timeIds, dims });
  return { first, images, guided: negatives.length > 0, rows: text.length, constant, controls };
}
