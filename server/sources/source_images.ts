import { AppError, reason } from "../../core/error.ts";
import { checkedSources, type SourceFile, type SourceFiles } from "../../core/generation/mod.ts";
import { decodeInputImage, MAX_INPUT_BYTES } from "../../core/image/mod.ts";
import { fileHash } from "../../core/transcript/mod.ts";
import { readAtMost } from "../storage/mod.ts";

/**
 * Reads the files that a command names.
 * @throws AppError `invalid_request` for a file that is not there, or no image, and for a mask of
 * another size than the image.
 */
export async function readSources(
  paths: {
    readonly image?: string;
    readonly mask?: string;
    readonly controls?: readonly string[];
  },
): Promise<SourceFiles> {
  const [image, mask] = await Promise.all(
    (["image", "mask"] as const).map((what) => paths[what] && readSource(paths[what], what)),
  );
  const controls: SourceFile[] = [];
  for (const path of paths.controls ?? []) controls.push(await readSource(path, "control"));
  return checkedSources({ ...(image && { image }), ...(mask && { mask }), controls });
}

async function readSource(path: string, what: string): Promise<SourceFile> {
  const name = `the ${what} ${path}`;
  const file = await readAtMost(path, MAX_INPUT_BYTES, name).catch((cause) => {
    throw new AppError("invalid_request", reason(cause), { field: what, cause });
  });
  return { sha256: fileHash(file), pixels: await decodeInputImage(file, what) };
}
