import type { ImageEngine } from "../generation/mod.ts";
import { encodeImage, type RgbaImage } from "../image/mod.ts";
import type { Hotkey } from "../keys/mod.ts";
import { type KnownModel, OWN_CONTROL } from "../model/mod.ts";
import { decodeRequest, type RequestDefaults } from "../request/mod.ts";
import { fileHash, receiptId } from "../transcript/mod.ts";
import { enlargedSize, lanczos } from "../upscale/mod.ts";
import { type AskedRun, runOf, serveRun } from "./checked_run.ts";

/** What a run may start from: each kind has leaves, or inputs of the network, that the others have not. */
export const INPUT_KINDS = [
  "text",
  "image",
  "mask",
  "control",
  "parent",
  "enlarged parent",
] as const;

export type InputKind = typeof INPUT_KINDS[number];

/** Who makes the honest runs that others start from. */
export interface InputLab {
  readonly engine: ImageEngine;
  readonly model: Pick<KnownModel, "facts">;
  readonly miner: Hotkey;
}

/** Of a request whose inputs {@link askedRun} makes. */
export interface InputOrder extends RequestDefaults {
  readonly prompt: string;
  readonly scheduler: string;
  /** Of those that start from an image; of one that is repainted in places it is 1. */
  readonly strength: number;
  /** That a parent is enlarged by. */
  readonly factor: number;
}

/** A request of a kind with its inputs, made of an image of the same prompt and the next seed. */
export async function askedRun(
  kind: InputKind,
  order: InputOrder,
  lab: InputLab,
): Promise<AskedRun> {
  const text = requestOf(order, {});
  if (kind === "text") return { request: text };
  const first = await runOf(lab.engine, { request: { ...text, seed: text.seed + 1n } });
  const { receipt, file } = await serveRun(first, lab.model, lab.miner);
  const { generation: { images: [image] } } = first;
  const [named, { strength }] = [fileHash(file), order];
  switch (kind) {
    case "image":
      return { request: requestOf(order, { image: named, strength }), files: { image } };
    case "mask": {
      const mask = leftHalf(image);
      const request = { image: named, mask: fileHash(await encodeImage(mask, "png")) };
      return { request: requestOf(order, request), files: { image, mask } };
    }
    case "control": {
      const control = [{ image: named, network: OWN_CONTROL, preprocess: "canny" }];
      return { request: requestOf(order, { control }), files: { controls: [image] } };
    }
    case "parent": {
      const request = requestOf(order, { image: named, strength, parent: receiptId(receipt) });
      return { request, files: { image }, parent: { receipt } };
    }
    case "enlarged parent": {
      const size = enlargedSize(image, order.factor);
      const larger = await lanczos.enlarge(image, size);
      const request = requestOf({ ...order, ...size }, {
        ...{ image: fileHash(await encodeImage(larger, "png")), strength },
        ...{ parent: receiptId(receipt), upscaler: lanczos.id },
      });
      const parent = { receipt, enlarged: { file, upscaler: lanczos } };
      return { request, files: { image: larger }, parent };
    }
    default:
      throw new TypeError(kind satisfies never);
  }
}

function requestOf({ prompt, scheduler, ...defaults }: InputOrder, fields: object) {
  return decodeRequest({ prompt, scheduler, ...fields }, defaults);
}

/** Its left half is made anew. */
function leftHalf({ width, height }: RgbaImage): RgbaImage {
  const data = new Uint8ClampedArray(4 * width * height);
  for (let i = 0; i < width * height; i++) data.fill(i % width < width / 2 ? 255 : 0, 4 * i);
  return { width, height, data };
}
