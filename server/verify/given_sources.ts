import { AppError } from "../../core/error.ts";
import type { SourceImages } from "../../core/generation/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import type { Level } from "../../core/verifier/mod.ts";
import { fittedSources, readSources, type SourceFiles } from "../sources/mod.ts";

/** Files that the receipt's request may name, as typed. */
export interface SourceFlags {
  readonly source?: string;
  readonly sourceMask?: string;
  readonly controlImage?: readonly string[];
}

/**
 * The files that the receipt's request names, and no others, by their hashes.
 * @throws AppError `invalid_request` for a file that it does not name, and for control images that are
 * missing at a level that needs them.
 */
export async function sourcesOfReceipt(
  { request }: Receipt,
  { source, sourceMask, controlImage = [] }: SourceFlags,
  level: Level,
): Promise<SourceImages | undefined> {
  const files = await readSources({ image: source, mask: sourceMask, controls: controlImage });
  const given = { image: source, mask: sourceMask };
  for (const what of ["image", "mask"] as const) {
    const file = files[what];
    if (!file || file.sha256 === request[what]) continue;
    const named = request[what] ?? "none";
    refuse(`${given[what]} has the hash ${file.sha256}, and the request's ${what} is ${named}`);
  }
  if (request.mask !== undefined && files.image && !files.mask) {
    refuse("the request has a mask too: give it with --source-mask");
  }
  const controls = controlsOf(request, files, controlImage, level);
  return fittedSources({ ...files, controls }, request);
}

/** In the order in which the request names them; one image may serve several ControlNets. */
function controlsOf(
  { control = [] }: Receipt["request"],
  { controls = [] }: SourceFiles,
  paths: readonly string[],
  level: Level,
): NonNullable<SourceFiles["controls"]> {
  const named = control.map(({ image }) => image);
  const odd = controls.findIndex(({ sha256 }) => !named.includes(sha256));
  if (odd >= 0) {
    const of = named.join(", ") || "none";
    refuse(`${paths[odd]} has the hash ${controls[odd].sha256}, and the control images are ${of}`);
  }
  if (level < 2) return [];
  return named.map((image) =>
    controls.find(({ sha256 }) => sha256 === image) ??
      refuse(`the network was given the control image ${image}: give its file with --control-image`)
  );
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
