/** The thread of {@link ThreadCodec}: encodes and decodes what the process sends. */
import { parentPort } from "node:worker_threads";
import { AppError, reason } from "../../core/error.ts";
import { imageCodec, type ImageFormat, type RgbaImage } from "../../core/image/mod.ts";

/** What the process sends. */
export type CodecOrder =
  & { readonly format: ImageFormat }
  & ({ readonly encode: RgbaImage; readonly quality?: number } | {
    readonly decode: Uint8Array<ArrayBuffer>;
    readonly size: Pick<RgbaImage, "width" | "height">;
  });

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
  const { format } = order;
  try {
    if ("encode" in order) {
      const file = await imageCodec.encode(order.encode, format, order.quality);
      return [{ file }, [file.buffer]];
    }
    const image = await imageCodec.decode(order.decode, format, order.size);
    return [{ image }, [image.data.buffer]];
  } catch (error) {
    const code = error instanceof AppError ? error.code : "encoding_failed";
    return [{ code, message: reason(error) }, []];
  }
}
