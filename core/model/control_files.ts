import { AppError } from "../error.ts";
import { shardPaths } from "../safetensors/mod.ts";
import { viewOf } from "./files_view.ts";
import type { ModelFiles } from "./model_files.ts";
import { type NetworkFiles, partNetwork } from "./model_layout.ts";
import { readModelIndex, transformerFamily } from "./model_index.ts";
import { chooseNetwork } from "./network_files.ts";

/** How a request names the ControlNet that lies in the model's own folder. */
export const OWN_CONTROL = "embedded";

/** Its part, and that of a UNet with inputs for residuals where the model's own, an ONNX file, has none. */
const OWN_PART = "controlnet";
const OWN_UNET = "unet_controlnet";

/** One network of a model, and the part that it is. */
export interface PartFiles {
  readonly part: string;
  readonly network: NetworkFiles;
}

/** A model with a ControlNet more. @param control its folder, and its hash. */
export function mountControl(
  files: ModelFiles,
  control: { readonly files: ModelFiles; readonly network: string },
): ModelFiles {
  const before = files.controls ?? [];
  const part = `controlnets/${before.length}`;
  return viewOf(files, {
    mounted: { at: `${part}/`, files: control.files },
    controls: [...before, { network: control.network, part }],
  });
}

/**
 * The files of a ControlNet that a request names.
 * @throws AppError `invalid_request` for one that the model was not opened with, `model_invalid`.
 */
export async function controlFiles(files: ModelFiles, network: string): Promise<PartFiles> {
  checkControls(controlNames(files), [network]);
  const mounted = files.controls?.find((each) => each.network === network);
  const part = mounted?.part ?? OWN_PART;
  return { part, network: await partNetwork(files, part) };
}

/** The UNet that takes residuals: a part of its own, or else the model's, written with such inputs. */
export async function controlledUnetFiles(files: ModelFiles): Promise<PartFiles> {
  if (transformerFamily(await readModelIndex(files))) {
    throw new AppError(
      "unsupported_setting",
      `Cannot use a ControlNet with ${files.name}: ControlNets of transformers are not built. Take a ` +
        "model of Stable Diffusion 1.x, 2.x or SDXL",
      { field: "control" },
    );
  }
  const part = hasPart(files, OWN_UNET) ? OWN_UNET : "unet";
  const network = await partNetwork(files, part);
  if (part === OWN_UNET || !("graph" in network)) return { part, network };
  throw new AppError(
    "model_invalid",
    `Cannot use a ControlNet with ${files.name}: its UNet is an ONNX file without inputs for it. Take ` +
      "the model in safetensors",
  );
}

/** The files of the model's own ControlNet; none where it has none. Of graphs nothing is read. */
export async function ownControlPaths(files: ModelFiles): Promise<readonly string[]> {
  if (!hasOwnControl(files)) return [];
  const parts = hasPart(files, OWN_UNET) ? [OWN_PART, OWN_UNET] : [OWN_PART];
  const paths = await Promise.all(parts.map(async (part) => {
    const named = chooseNetwork(part, (path) => files.has(path), files.variant, files.name);
    const index = named.find((path) => path.endsWith(".json") && path.includes(".safetensors."));
    return index ? [...named, ...await shardPaths(files, index)] : named;
  }));
  return paths.flat().sort();
}

function hasOwnControl(files: Pick<ModelFiles, "paths">): boolean {
  return hasPart(files, OWN_PART);
}

function hasPart({ paths }: Pick<ModelFiles, "paths">, part: string): boolean {
  return paths.some((path) => path.startsWith(`${part}/`));
}

/** The ControlNets that requests to a model may name. */
export function controlNames(files: Pick<ModelFiles, "paths" | "controls">): readonly string[] {
  const own = hasOwnControl(files) ? [OWN_CONTROL] : [];
  return [...own, ...files.controls?.map(({ network }) => network) ?? []];
}

/** @throws AppError `invalid_request` for a ControlNet that is none of the model's. */
export function checkControls(known: readonly string[], networks: readonly string[]): void {
  const unknown = networks.find((network) => !known.includes(network));
  if (unknown === undefined) return;
  const short = (network: string) =>
    network === OWN_CONTROL ? network : `${network.slice(0, 12)}...`;
  throw new AppError(
    "invalid_request",
    `Cannot generate: control names the network ${short(unknown)}, and the model was opened with ` +
      `${
        known.map(short).join(", ") || "none"
      }; leave it out, or open the model with its ControlNet`,
    { field: "control" },
  );
}
