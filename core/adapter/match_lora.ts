import { ldmNameOfDiffusersUnet, type UNetBlocks } from "../checkpoint/mod.ts";
import { AppError } from "../error.ts";
import { named } from "../named.ts";
import type { TensorIndex, WeightDelta } from "../safetensors/mod.ts";
import { familyOfUnet, statedFamily } from "./lora_family.ts";
import type { LoraFile, LoraModule } from "./lora_file.ts";
import type { AdaptedPart } from "./lora_names.ts";

/** The networks that an adapter may change: a part's tensors and its `config.json`. */
export type BaseParts = Readonly<
  Partial<Record<AdaptedPart, { readonly tensors: TensorIndex; readonly config: unknown }>>
>;

/** By part and the weight's name. */
export type Deltas = Readonly<Record<string, Readonly<Record<string, WeightDelta>>>>;

/**
 * Which weights of a model a LoRA changes.
 * @param name of the adapter, for messages.
 * @throws AppError `model_invalid` that counts modules which the model does not have, or has in another
 *   shape: the LoRA is then of another family, as it is when it says so. A LoRA of SD 1 that says
 *   nothing and changes neither the text encoder nor what attends to text cannot be told from one of
 *   SD 2.
 */
export function matchLora(lora: LoraFile, parts: BaseParts, name: string): Deltas {
  refuseStatedFamily(lora, parts, name);
  const deltas: Record<string, Record<string, WeightDelta>> = {};
  const changedBy = new Map<string, string>();
  const strangers: string[] = [];
  const places = new Map<AdaptedPart, Places>();
  for (const module of lora.modules) {
    const part = parts[module.part];
    if (part && !places.has(module.part)) places.set(module.part, placesOf(module.part, part));
    const weight = places.get(module.part)?.find(module);
    const shape = weight === undefined ? undefined : part?.tensors.get(weight)?.shape;
    if (weight === undefined || !shape || !fits(module, shape)) {
      strangers.push(shape ? `${module.name} (of another shape)` : module.name);
      continue;
    }
    const { down, up, mid, scale } = module;
    const changed = `${module.part}/${weight}`;
    const other = changedBy.get(changed);
    if (other !== undefined) throw twice(name, changed, [other, module.name]);
    changedBy.set(changed, module.name);
    deltas[module.part] ??= {};
    deltas[module.part][weight] = { down, up, ...mid && { mid }, scale };
  }
  if (strangers.length > 0) throw strange(lora, strangers, name);
  return deltas;
}

function refuseStatedFamily({ base = "" }: LoraFile, { unet }: BaseParts, name: string): void {
  const [stated, own] = [statedFamily(base), familyOfUnet(unet?.config)];
  if (stated === undefined || own === undefined || stated === own) return;
  throw new AppError(
    "model_invalid",
    `Cannot use the LoRA ${name}: it says that it was trained for ${
      base.slice(0, 60)
    }, and the model ` +
      `is of the ${own} family`,
  );
}

function twice(name: string, weight: string, modules: readonly string[]): AppError {
  return new AppError(
    "model_invalid",
    `Cannot use the LoRA ${name}: ${modules.join(" and ")} are two names of one weight, ${weight}`,
  );
}

function strange(
  { modules, base }: LoraFile,
  strangers: readonly string[],
  name: string,
): AppError {
  const noted = base === undefined ? "" : `. It says that it was trained for ${base.slice(0, 60)}`;
  return new AppError(
    "model_invalid",
    `Cannot use the LoRA ${name}: ${strangers.length} of its ${modules.length} modules are not in the ` +
      `model: ${named(strangers)}${noted}`,
  );
}

interface Places {
  find(module: LoraModule): string | undefined;
}

/** A part's weights by the names that files give their modules. */
function placesOf(
  part: AdaptedPart,
  { tensors, config }: { readonly tensors: TensorIndex; readonly config: unknown },
): Places {
  const dotted = new Map<string, string>();
  for (const [weight, { shape }] of tensors) {
    if (shape.length < 2 || !weight.endsWith(".weight")) continue;
    const module = weight.slice(0, -".weight".length);
    for (const name of namesOf(part, module, config)) dotted.set(name, weight);
  }
  const flat = new Map([...dotted].map(([name, weight]) => [name.replaceAll(".", "_"), weight]));
  return { find: ({ path, flat: isFlat }) => (isFlat ? flat : dotted).get(path) };
}

/** Of diffusers and transformers, and of a UNet the one that LDM gives it. */
function namesOf(part: AdaptedPart, module: string, config: unknown): string[] {
  if (part !== "unet") {
    const short = module.replace(/^text_model\./, "");
    return [module, short, `text_model.${short}`];
  }
  const ldm = ldmNameOfDiffusersUnet(module, config as UNetBlocks);
  return ldm === undefined ? [module] : [module, ldm];
}

/**
 * Whether up @ down has as many numbers a side as the weight. A change of a convolution is none of a
 * linear layer: SD 1 projects by the one where SD 2 does by the other.
 */
function fits({ down, up, mid }: LoraModule, [to, from, ...kernel]: readonly number[]): boolean {
  const [rank, inner, ...wide] = down.shape;
  const sides = mid ? mid.shape.slice(2) : wide;
  const area = (sizes: readonly number[]) => sizes.reduce((product, side) => product * side, 1);
  return up.shape[0] === to && up.shape[1] === rank && inner === from &&
    sides.length <= kernel.length && area(sides) === area(kernel);
}
