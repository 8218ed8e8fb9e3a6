/** The thread of {@link ThreadCodec}: encodes and decodes what the process sends. */
import { parentPort } from "node:worker_threads";
import { AppError, reason } from "../../core/error.ts";
import { imageCodec, type ImageFormat, type RgbaImage } from "../../core/image/mod.ts";

/** What the process sends. */
export type CodecOrder =
  | { readonly encode: RgbaImage; readonly format: ImageFormat; readonly quality?: number }
  | {
    readonly decode: Uint8Array<ArrayBuffer>;
    readonly format: ImageFormat;
    readonly size: Pick<RgbaImage, "width" | "height">;
  }
  /** A file that somebody gives; what it is, for sentences. */
  | { readonly input: Uint8Array<ArrayBuffer>; readonly what: string };

/** What the thread sends for each order, before it gets the next. */
export type CodecAnswer =
  | { readonly file: Uint8Array<ArrayBuffer> }
  | { readonly image: RgbaImage }
  | { readonly code: AppError["code"]; readonly message: string };

parentPort?.on("message", async (order: CodecOrder) => {
  const [answer, moved] = await carryOut(order);
  parentPort?.postMessage(answer, moved);
});

async function carryOut(order: CodecOrder): Promise<[CodecAnswer, ArrayBuffer[]]> {
  try {
    if ("encode" in order) {
      const file = await imageCodec.encode(order.encode, order.format, order.quality);
      return [{ file }, [file.buffer]];
    }
    const image = "input" in order
      ? await imageCodec.decodeInput(order.input, order.what)
      : await imageCodec.decode(order.decode, order.format, order.size);
    return [{ image }, [image.data.buffer]];
  } catch (error) {
    const code = error instanceof AppError ? error.code : "encoding_failed";
    return [{ code, message: reason(error) }, []];
  }
}
