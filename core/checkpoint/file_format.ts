import type { ModelFiles } from "../model/mod.ts";
import type { Refuse } from "./part.ts";

const TORCH = "can run code when it is opened, and is not read. Take the model in safetensors";

const ZIP = `it is a zip archive, as torch saves pickles (.ckpt): a pickle ${TORCH}`;
const PICKLE = `it is a pickle (.ckpt), which ${TORCH}`;
const ARCHIVE = "it is an archive. Unpack it, and give the file inside";
const PAGE = "it is a web page, not a model: the download was answered by a page, as for a log-in";

/** How files begin that are offered as models: of one byte a character. */
const FORMATS: readonly (readonly [start: string, what: string])[] = [
  ["PK\x03\x04", ZIP],
  ["\x80\x02", PICKLE],
  ["\x80\x03", PICKLE],
  ["\x80\x04", PICKLE],
  ["\x80\x05", PICKLE],
  ["GGUF", "it is GGUF, whose quantized weights are not computed with. Take it in safetensors"],
  ["7z\xbc\xaf", ARCHIVE],
  ["Rar!", ARCHIVE],
  ["\x1f\x8b", ARCHIVE],
  [
    "version https://git-lfs",
    "it is a pointer of Git LFS, not the file itself. Run `git lfs pull` in its repository",
  ],
  ["<!DOCTYPE", PAGE],
  ["<!doctype", PAGE],
  ["<html", PAGE],
];

/**
 * Refuses a file of another format by name.
 * @throws what `refuse` throws.
 */
export async function refuseOtherFormats(
  files: ModelFiles,
  path: string,
  refuse: Refuse,
): Promise<void> {
  const start = await files.bytes(path, { start: 0, end: Math.min(64, files.size(path)) });
  // The header's length comes first, and may look like anything; then its JSON begins.
  if (start[8] === "{".charCodeAt(0)) return;
  const text = String.fromCharCode(...start);
  const format = FORMATS.find(([magic]) => text.startsWith(magic));
  if (format) refuse(format[1]);
}
