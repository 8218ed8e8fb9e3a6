import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { GatewayModel } from "../routes/mod.ts";

/** What every model takes a multiple of: six halvings of a side. */
const MULTIPLE = 64;

/** @returns undefined for `auto`. */
export function parseSize(size: string): { width: number; height: number } | undefined {
  const [width, height] = size.split("x").map(Number);
  return height === undefined ? undefined : { width, height };
}

/**
 * The request at the size that was asked for; where the model cannot make that, at the nearest one that
 * all models make.
 * @throws what the model says of that, such as that it is too much work.
 */
export async function atNearestSize(
  request: GenerationRequest,
  model: Pick<GatewayModel, "check">,
): Promise<GenerationRequest> {
  try {
    await model.check(request);
    return request;
  } catch {
    const nearest = (side: number) => Math.max(1, Math.round(side / MULTIPLE)) * MULTIPLE;
    const other = {
      ...request,
      ...{ width: nearest(request.width), height: nearest(request.height) },
    };
    await model.check(other);
    return other;
  }
}
