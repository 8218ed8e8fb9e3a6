/** What a file is, as far as its start shows. Tensors are safetensors: a run's transcript, or weights. */
type FileKind = "png" | "jpeg" | "webp" | "tensors" | "json";

/** Bytes at a file's start that show what it is. */
export const FILE_HEAD = 256;

/**
 * By how a file begins, whatever its name says.
 * @param file its first {@link FILE_HEAD} bytes or more, or all of a shorter one.
 * @returns undefined for anything else.
 */
export function fileKind(file: Uint8Array): FileKind | undefined {
  const text = String.fromCharCode(...file.subarray(0, FILE_HEAD));
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (/^RIFF[^]{4}WEBP/.test(text)) return "webp";
  // The header's length in eight bytes, then the header, which is JSON.
  if (/^[^]{4}\0{4}\{/.test(text)) return "tensors";
  // JSON may begin with a byte order mark.
  return /^(\xef\xbb\xbf)?\s*\{/.test(text) ? "json" : undefined;
}

/** What it is to a check. */
export type EvidenceKind = "receipt" | "tensors" | "image";

/** What a file that is given to a check may be, as {@link fileKind}. */
export function evidenceKind(file: Uint8Array): EvidenceKind | undefined {
  const kind = fileKind(file);
  if (kind === undefined || kind === "tensors") return kind;
  return kind === "json" ? "receipt" : "image";
}
