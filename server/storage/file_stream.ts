import { type FileHandle, open } from "node:fs/promises";

/** Bytes read at once. */
const PIECE = 2 ** 18;

/**
 * A file's bytes as a stream, a piece in memory at a time.
 * @param range bytes from `start` on, up to `end` exclusive; the whole file without it.
 * @throws the system's error with its `code` when the file cannot be opened.
 */
export async function fileStream(
  path: string,
  range: { readonly start?: number; readonly end?: number } = {},
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const file = await open(path);
  const { start = 0, end = (await file.stat()).size } = range;
  let at = start;
  return new ReadableStream({
    async pull(controller) {
      const piece = await pieceOf(file, at, end);
      if (piece.length === 0) {
        await file.close();
        return controller.close();
      }
      at += piece.length;
      controller.enqueue(piece);
    },
    cancel: () => file.close(),
  });
}

/** Empty at the end. */
async function pieceOf(
  file: FileHandle,
  at: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(Math.max(0, Math.min(PIECE, end - at)));
  if (piece.length === 0) return piece;
  try {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    return piece.subarray(0, bytesRead);
  } catch (error) {
    await file.close();
    throw error;
  }
}
