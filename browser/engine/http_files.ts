import { counted } from "../../core/counted.ts";
import { AppError, reason } from "../../core/error.ts";
import type { ByteRange } from "../../core/model/mod.ts";
import { DescribedFiles, type ModelDescription } from "../../core/remote/mod.ts";

/** A model whose files are read by GET, whole or by range. */
export class HttpFiles extends DescribedFiles {
  readonly #url: string;

  constructor(model: ModelDescription) {
    super(model);
    this.#url = model.url;
  }

  async bytes(path: string, range?: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
    const size = this.size(path);
    const headers = range && { range: `bytes=${range.start}-${range.end - 1}` };
    try {
      const response = await fetch(this.#url + path.split("/").map(encodeURIComponent).join("/"), {
        headers,
      });
      // The host's own words, which name file and folder.
      if (!response.ok) throw new AppError("model_invalid", await response.text());
      const { start, end } = range ?? { start: 0, end: size };
      return await readBody(response, Math.max(0, Math.min(end, size) - start));
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError(
        "download_failed",
        `Cannot read ${path} of ${this.name}: ${reason(cause)}`,
        { cause },
      );
    }
  }
}

/**
 * A body as it streams in: Chromium gives no `arrayBuffer()` of 2 GiB, and has such buffers.
 * @param length bytes expected.
 * @throws Error when it has another number of bytes.
 */
async function readBody(response: Response, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  const reader = response.body?.getReader();
  let got = 0;
  for (let chunk = await reader?.read(); chunk?.value; chunk = await reader?.read()) {
    if (got + chunk.value.length > length) {
      throw new Error(`it has more than ${counted(length, "byte")}`);
    }
    bytes.set(chunk.value, got);
    got += chunk.value.length;
  }
  if (got < length) throw new Error(`it ended after ${got} of ${counted(length, "byte")}`);
  return bytes;
}
