import { AppError } from "../../core/error.ts";
import { checkedSources, type SourceFile } from "../../core/generation/mod.ts";
import { decodeInputImage } from "../../core/image/mod.ts";
import { inputsOf, ofEachInput, type RequestInput } from "../../core/request/mod.ts";
import type { Receipt } from "../../core/transcript/mod.ts";
import { type Level, neededInputs, type Verification } from "../../core/verifier/mod.ts";
import { fittedSources, readSources, type SourceFiles } from "../sources/mod.ts";

/** Files that the receipt's request may name, as typed. */
export interface SourceFlags {
  readonly source?: string;
  readonly sourceMask?: string;
  readonly controlImage?: readonly string[];
}

/** A file that the request names, from the miner. */
export type FetchInput = (sha256: string) => Promise<Uint8Array<ArrayBuffer>>;

const FLAGS: Readonly<Record<RequestInput["field"], string>> = {
  ...{ image: "--source", mask: "--source-mask", control: "--control-image" },
};

/**
 * The files that the receipt's request names, and no others, by their hashes: those that are given, and the
 * miner's in place of those that are not, as far as the level needs them.
 * @throws AppError `invalid_request` for a file that it does not name, and for those that are missing at a
 * level that cannot do without.
 */
export async function sourcesOfReceipt(
  { request }: Pick<Receipt, "request">,
  { source, sourceMask, controlImage = [] }: SourceFlags,
  level: Level,
  fetch?: FetchInput,
): Promise<Verification["sources"]> {
  const paths = { image: source, mask: sourceMask, controls: controlImage };
  const files = await readSources(paths);
  refuseOthers(request, files, paths);
  const given = [files.image, files.mask, ...files.controls ?? []].flatMap((file) => file ?? []);
  const named = inputsOf(request);
  const missing = neededInputs(request, level)
    .filter(({ sha256 }) => given.every((file) => file.sha256 !== sha256));
  const all = (known: readonly SourceFile[]) => fittedSources(assembled(named, known), request);
  if (missing.length > 0 && fetch) {
    return async () => all([...given, ...await fetched(missing, fetch)]);
  }
  const needed = missing.find(({ field }) =>
    field === "control" || (field === "mask" && files.image)
  );
  if (needed) {
    const { field, sha256 } = needed;
    refuse(`the request names the ${field} ${sha256}: give its file with ${FLAGS[field]}`);
  }
  return all(given);
}

async function fetched(
  missing: readonly RequestInput[],
  fetch: FetchInput,
): Promise<readonly SourceFile[]> {
  const files = await ofEachInput(missing, async ({ field, sha256 }) => ({
    ...{ sha256, pixels: await decodeInputImage(await fetch(sha256), field) },
  }));
  return [...files.values()];
}

/** In the order in which the request names them; one file may serve several times. */
function assembled(named: readonly RequestInput[], known: readonly SourceFile[]): SourceFiles {
  const of = (wanted: RequestInput["field"]) =>
    named.filter(({ field }) => field === wanted)
      .flatMap(({ sha256 }) => known.find((file) => file.sha256 === sha256) ?? []);
  const [[image], [mask]] = [of("image"), of("mask")];
  return checkedSources({
    ...{ controls: of("control"), ...(image && { image }), ...(mask && { mask }) },
  });
}

/** A file that is given as one that the request does not name was mistaken for it. */
function refuseOthers(
  { image, mask, control = [] }: Receipt["request"],
  files: SourceFiles,
  paths: { readonly image?: string; readonly mask?: string; readonly controls: readonly string[] },
): void {
  for (const [what, named] of [["image", image], ["mask", mask]] as const) {
    const file = files[what];
    if (!file || file.sha256 === named) continue;
    const other = `and the request's ${what} is ${named ?? "none"}`;
    refuse(`${paths[what]} has the hash ${file.sha256}, ${other}`);
  }
  const controls = control.map((use) => use.image);
  for (const [k, { sha256 }] of (files.controls ?? []).entries()) {
    if (controls.includes(sha256)) continue;
    const of = controls.join(", ") || "none";
    refuse(`${paths.controls[k]} has the hash ${sha256}, and the control images are ${of}`);
  }
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot verify: ${why}`);
}
