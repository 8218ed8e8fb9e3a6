import { sha256Of } from "../../storage/mod.ts";
import type { CallPictures, Size } from "../files/mod.ts";
import type { EditCall } from "./edit_call.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Files of an edit, as a request names them. */
export interface EditFiles {
  readonly fields: { readonly image: string; readonly mask?: string };
  readonly inputs: ReadonlyMap<string, Bytes>;
  readonly pixels: Size;
}

/**
 * @param given the image, and a mask whose transparent pixels are drawn anew.
 * @param owner whose call it is.
 * @throws AppError `invalid_request` for a file that is none.
 */
export async function editFiles(
  { image, mask: given }: Pick<EditCall, "image" | "mask">,
  owner: string,
  pictures: Pick<CallPictures, "ask">,
): Promise<EditFiles> {
  const pixels = await pictures.ask(owner, "size", { file: image, what: "image" });
  const mask = given &&
    await pictures.ask(owner, "whiteWhereClear", { mask: given, size: pixels });
  const files = [image, ...mask ? [mask] : []].map((bytes) => [sha256Of(bytes), bytes] as const);
  return {
    ...{ pixels, inputs: new Map(files) },
    fields: { image: files[0][0], ...(mask && { mask: files[1][0] }) },
  };
}
