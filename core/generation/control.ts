import { controlHint } from "../control/mod.ts";
import type { RunControl } from "../denoise/mod.ts";
import type { Model } from "../inference/mod.ts";
import { controlScaleAt, type GenerationRequest } from "../request/mod.ts";
import { checkControls, type NetworkImages } from "./source.ts";

/**
 * The ControlNets of a request, with what each reads of its image; undefined where none is needed.
 * @throws AppError `invalid_request` for images that it does not name, and for a ControlNet that the
 * model was not opened with.
 */
export async function runControl(
  { controlled, unet, files, runtime: { gpu } }: Model,
  request: GenerationRequest,
  given: NetworkImages | undefined,
): Promise<RunControl | undefined> {
  checkControls(request, given);
  const { control } = request;
  if (control.length === 0) {
    return unet.residuals.size > 0 ? await unused(files, controlled, request) : undefined;
  }
  const opened = await controlled(control.map(({ network }) => network));
  const controls: RunControl["controls"][number][] = [];
  for (const [k, image] of (given?.controls ?? []).entries()) {
    const hint = await controlHint(image, control[k].preprocess, gpu);
    const scaleAt = (index: number, steps: number) => controlScaleAt(control[k], index, steps);
    controls.push({ net: opened.nets[k], hint, scaleAt });
  }
  return { ...opened, controls };
}

/** A UNet with inputs for residuals, of which there is one for all requests, is given zeros: no image changes. */
async function unused(
  { controls = [] }: Model["files"],
  controlled: Model["controlled"],
  { width, height }: GenerationRequest,
): Promise<RunControl> {
  const { nets: [net], ...opened } = await controlled([controls[0].network]);
  const hint = new Float32Array(3 * height * width);
  return { ...opened, controls: [{ net, hint, scaleAt: () => 0 }] };
}
