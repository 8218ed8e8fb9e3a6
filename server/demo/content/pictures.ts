import { encodeImage, resize, type RgbaImage } from "../../../core/image/mod.ts";
import { fileHash, type Receipt, receiptId, signReceipt } from "../../../core/transcript/mod.ts";
import { makeReceipts, RunRecorder } from "../../../core/prover/mod.ts";
import { decodeRequest } from "../../../core/request/mod.ts";
import type { Hotkey } from "../../../core/keys/mod.ts";
import type { ImageEngine } from "../../../core/generation/mod.ts";
import type { KnownModel } from "../../../core/model/mod.ts";
import { submissionMessage } from "../../content/mod.ts";

/** A picture with what proves it. */
export interface Drawn {
  readonly receipt: Receipt;
  readonly file: Uint8Array<ArrayBuffer>;
  readonly picture: RgbaImage;
}

/** Small, so that a processor draws one in a second or two. */
const [SIDE, STEPS] = [128, 8];

/** Draws a picture as a miner does. */
export async function draw(
  { engine, model, miner }: {
    readonly engine: ImageEngine;
    readonly model: KnownModel;
    readonly miner: Hotkey;
  },
  prompt: string,
  seed: number,
): Promise<Drawn> {
  const input = { prompt, width: SIDE, height: SIDE, steps: STEPS };
  const request = decodeRequest(input, { ...engine.defaults, seed: BigInt(seed) });
  const recorder = new RunRecorder(request, { keep: false });
  const started = Date.now();
  const generation = await engine.generate(request, { onLeaf: recorder.add });
  const [picture] = generation.images;
  const file = await encodeImage(picture, "png");
  const commitments = recorder.finish([file], generation.plan);
  const [receipt] = await makeReceipts({
    ...{ generation, format: "png", quality: undefined, files: [file], commitments },
    ...{ model: await model.facts(), backend: engine.backend },
    times: { started, finished: Date.now() },
  }, miner);
  return { receipt, file, picture };
}

/** Another's picture, smaller and back again, under a receipt of one's own, which says when it was made. */
export async function stolen(
  { receipt, picture }: Drawn,
  miner: Hotkey,
  times: Receipt["times"] = receipt.times,
): Promise<Drawn> {
  const half = resize(picture, { width: SIDE / 2, height: SIDE / 2 });
  const copy = resize(half, { width: SIDE, height: SIDE });
  const file = await encodeImage(copy, "png");
  const { signature: _, ...statement } = receipt;
  const image = { ...receipt.image, sha256: fileHash(file), bytes: file.length };
  const signed = await signReceipt(
    { ...statement, image, times, miner: miner.address },
    miner.sign,
  );
  return { receipt: signed, file, picture: copy };
}

/** The body of `POST /v1/content`. */
export async function submissionOf(
  { receipt, file }: Pick<Drawn, "receipt" | "file">,
  creator: Hotkey,
  caption: string,
) {
  const { sha256 } = receipt.image;
  const message = submissionMessage({ id: receiptId(receipt), sha256, caption });
  const signature = (await creator.sign(message)).toHex();
  return { receipt, image: file.toBase64(), caption, creator: creator.address, signature };
}
