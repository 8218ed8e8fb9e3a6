import { counted } from "../../core/counted.ts";
import { AppError } from "../../core/error.ts";
import type { MountedControl } from "../../core/model/mod.ts";
import type { ControlUse } from "../../core/request/mod.ts";

/** One `--control`, as typed. */
export interface ControlFlag {
  readonly path: string;
  readonly preprocess: "none" | "canny";
  readonly scale?: number;
  readonly start?: number;
  readonly end?: number;
}

/** An ending of a number, or of nothing between two colons. */
const FORM = /^(canny:)?(.+?)((?::[0-9.]*){0,3})$/s;

/**
 * `[canny:]<file>[:scale[:start[:end]]]`; what is left out between colons keeps its default.
 * @throws AppError `invalid_request` for a part that is no number.
 */
export function parseControl(text: string): ControlFlag {
  const [, canny, path, numbers] = FORM.exec(text) ?? [];
  if (path === undefined) return refuse(text);
  const [, ...parts] = numbers.split(":");
  const [scale, start, end] = parts.map((part) => {
    const value = Number(part);
    return part === "" ? undefined : Number.isNaN(value) ? refuse(text) : value;
  });
  return { path, preprocess: canny ? "canny" : "none", scale, start, end };
}

/** A request's `control`, its networks left open. @param hashes of the images, in the same order. */
export function controlInput(
  flags: readonly ControlFlag[],
  hashes: readonly string[],
): Record<string, unknown>[] {
  return flags.map(({ path: _, ...use }, k) => ({
    ...Object.fromEntries(Object.entries(use).filter(([, value]) => value !== undefined)),
    image: hashes[k],
  }));
}

/**
 * @param controls of `--control`. @param nets of `--controlnet`: none for the model's own, one for all
 * images, or one for each.
 * @throws AppError `invalid_request` for another number of them.
 */
export function checkControlFlags(controls: readonly unknown[], nets: readonly unknown[]): void {
  if (nets.length <= 1 ? controls.length >= nets.length : nets.length === controls.length) return;
  throw new AppError(
    "invalid_request",
    `Cannot generate: --controlnet is given for ${
      counted(nets.length, "network")
    } and --control for ` +
      `${counted(controls.length, "image")}; give one network for all images, or one for each`,
  );
}

/** The uses with their networks: the mounted ones in their order, or the model's own. */
export function withNetworks(
  control: readonly ControlUse[],
  mounted: readonly MountedControl[] = [],
): ControlUse[] {
  return control.map((use, k) => ({
    ...use,
    network: (mounted[k] ?? mounted[0])?.network ?? use.network,
  }));
}

function refuse(text: string): never {
  throw new AppError(
    "invalid_request",
    `Cannot generate: --control is ${text}, not [canny:]<file>[:scale[:start[:end]]]`,
  );
}
