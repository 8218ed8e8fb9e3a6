/** The thread of {@link ThreadCodec}: encodes and decodes what the process sends. */
import { parentPort } from "node:worker_threads";
import { AppError, reason } from "../../core/error.ts";
import { imageCodec, type ImageFormat, type RgbaImage } from "../../core/image/mod.ts";

interface Job {
  readonly job: number;
  readonly format: ImageFormat;
}

/** What the process sends. */
export type CodecOrder =
  & Job
  & ({ readonly encode: RgbaImage; readonly quality?: number } | {
    readonly decode: Uint8Array<ArrayBuffer>;
    readonly size: Pick<RgbaImage, "width" | "height">;
  });

/** What the thread sends. */
export type CodecAnswer =
  | { readonly job: number; readonly file: Uint8Array<ArrayBuffer> }
  | { readonly job: number; readonly image: RgbaImage }
  | { readonly job: number; readonly code: AppError["code"]; readonly message: string };

parentPort?.on("message", async (order: CodecOrder) => {
  const [answer, moved] = await carryOut(order);
  parentPort?.postMessage(answer, moved);
});

async function carryOut(order: CodecOrder): Promise<[CodecAnswer, ArrayBuffer[]]> {
  const { job, format } = order;
  try {
    if ("encode" in order) {
      const file = await imageCodec.encode(order.encode, format, order.quality);
      return [{ job, file }, [file.buffer]];
    }
    const image = await imageCodec.decode(order.decode, format, order.size);
    return [{ job, image }, [image.data.buffer]];
  } catch (error) {
    const code = error instanceof AppError ? error.code : "encoding_failed";
    return [{ job, code, message: reason(error) }, []];
  }
}
