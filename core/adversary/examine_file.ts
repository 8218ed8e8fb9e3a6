import { AppError } from "../error.ts";
import { checkCanonical, checkOpaque, imageCodec, type RgbaImage } from "../image/mod.ts";
import { compareFile, passesImage } from "../verifier/mod.ts";
import { type FileCheat, fileCheats } from "./file_cheats.ts";

/** What level 3 says of one file. */
export interface FileFinding extends Pick<FileCheat, "name" | "format"> {
  /** `refused` for its container, `suspect` for its pixels or its length. */
  readonly verdict: "refused" | "suspect" | "honest";
}

/** Tries every file cheat on one image. @param decoded by the checker, of x_N. */
export async function examineFiles(decoded: RgbaImage): Promise<FileFinding[]> {
  const other = { ...decoded, data: decoded.data.map((v, k) => k % 4 === 3 ? v : 255 - v) };
  const found: FileFinding[] = [];
  for (const cheat of fileCheats) {
    const { name, format } = cheat;
    found.push({ name, format, verdict: await verdictOn(cheat, decoded, other) });
  }
  return found;
}

async function verdictOn(
  { format, file }: FileCheat,
  decoded: RgbaImage,
  other: RgbaImage,
): Promise<FileFinding["verdict"]> {
  const bytes = await file(decoded, other);
  try {
    checkCanonical(bytes, format, decoded);
    const pixels = await imageCodec.decode(bytes, format, decoded);
    checkOpaque(pixels, format);
    const opened = { bytes: bytes.length, pixels, format, precision: "float32" as const };
    return passesImage(await compareFile(opened, decoded, imageCodec)) ? "honest" : "suspect";
  } catch (error) {
    if (error instanceof AppError) return "refused";
    throw error;
  }
}
