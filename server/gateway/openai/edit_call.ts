import { AppError } from "../../../core/error.ts";
import { parseJson, readMultipart } from "../../http/mod.ts";
import { bytesOf } from "./data_url.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** An edit: its fields, and its files. */
export interface EditCall {
  readonly json: Readonly<Record<string, unknown>>;
  readonly image: Bytes;
  readonly mask: Bytes | undefined;
}

const MAX_PARTS = 64;

/**
 * An edit as JSON (`images: [{image_url}]`, `mask: {image_url}`), or as a form (`image` or `image[]`,
 * `mask`).
 * @throws AppError `json_invalid`, `invalid_request` naming the field.
 */
export function decodeEditCall(body: Bytes, contentType: string): EditCall {
  return /^multipart\/form-data/i.test(contentType) ? ofForm(body, contentType) : ofJson(body);
}

function ofJson(body: Bytes): EditCall {
  const { images, mask, ...json } = Object(parseJson(body));
  const given: unknown[] = Array.isArray(images) ? images : [];
  const [image] = one(given.map((entry) => bytesOf(Object(entry).image_url, "images")));
  const url = Object(mask ?? undefined).image_url;
  return { json, image, mask: url === undefined ? undefined : bytesOf(url, "mask") };
}

function ofForm(body: Bytes, contentType: string): EditCall {
  const parts = readMultipart(contentType, body, MAX_PARTS);
  const files = (name: RegExp) =>
    parts.filter((part) => name.test(part.name)).map(({ bytes }) => bytes);
  const [image] = one(files(/^image(\[\d*\])?$/));
  const fields = parts.filter(({ name }) => !/^(image|mask)/.test(name))
    .map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)]);
  return { json: Object.fromEntries(fields), image, mask: files(/^mask$/)[0] };
}

function one(images: readonly Bytes[]): readonly Bytes[] {
  if (images.length === 1) return images;
  throw new AppError(
    "invalid_request",
    `Cannot edit: image is there ${images.length} times, and one is taken`,
    { field: "image" },
  );
}
