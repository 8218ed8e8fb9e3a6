import { AppError } from "../../../core/error.ts";
import { decodeInputImage, encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { sha256Of } from "../../storage/mod.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Files of an edit, as a request names them. */
export interface EditFiles {
  readonly fields: { readonly image: string; readonly mask?: string };
  readonly inputs: ReadonlyMap<string, Bytes>;
  readonly pixels: RgbaImage;
}

/**
 * @param given the image, and a mask whose transparent pixels are drawn anew.
 * @throws AppError `invalid_request` for a file that is none.
 */
export async function editFiles(
  given: { readonly image: Bytes; readonly mask?: Bytes },
): Promise<EditFiles> {
  const pixels = await decodeInputImage(given.image, "image");
  const mask = given.mask && await whiteWhereClear(given.mask, pixels);
  const files = [given.image, ...mask ? [mask] : []].map((bytes) =>
    [sha256Of(bytes), bytes] as const
  );
  return {
    ...{ pixels, inputs: new Map(files) },
    fields: { image: files[0][0], ...(mask && { mask: files[1][0] }) },
  };
}

/** Our masks are white where is drawn, and have no transparency. */
async function whiteWhereClear(mask: Bytes, { width, height }: RgbaImage): Promise<Bytes> {
  const decoded = await decodeInputImage(mask, "mask");
  const { data, ...size } = decoded.width === width && decoded.height === height
    ? decoded
    : resize(decoded, { width, height });
  const drawn = new Uint8ClampedArray(data.length);
  for (let at = 0; at < data.length; at += 4) {
    drawn.fill(data[at + 3] < 128 ? 255 : 0, at, at + 3);
    drawn[at + 3] = 255;
  }
  return await encodeImage({ ...size, data: drawn }, "png");
}

/** @throws AppError `invalid_request` for another address than a data URL. */
export function bytesOf(url: unknown, field: string): Bytes {
  const base64 = typeof url === "string" ? /^data:[^,]{0,100};base64,/.exec(url)?.[0] : undefined;
  try {
    if (base64 !== undefined) return Uint8Array.fromBase64(String(url).slice(base64.length));
  } catch {
    // Said below.
  }
  throw new AppError(
    "invalid_request",
    `Cannot edit: ${field} is no data URL in base64; files of other addresses are not fetched`,
    { field },
  );
}
