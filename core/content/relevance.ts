import { z } from "zod";
import { AppError } from "../error.ts";
import { fromRgba, resize, type RgbaImage } from "../image/mod.ts";
import { type Runtime, type Session } from "../inference/mod.ts";
import { type ModelFiles, readJson } from "../model/mod.ts";
import { loadTokenizer, type PromptTokenizer } from "../prompt/mod.ts";
import { bounded, type Score } from "./score.ts";

/** `relevance.json` of an encoder's folder. */
const settingsSchema = z.looseObject({
  /** Pixels a side that the network looks at. */
  size: z.int().min(8).max(1024),
  /** The curve from the cosine of two embeddings to the chance that they belong together. */
  slope: z.number().positive(),
  offset: z.number(),
});

type Settings = z.infer<typeof settingsSchema>;

/** Shares of the side that a second look is shifted by. */
const SHIFTS = [[0, 0], [0.03, 0.03], [-0.03, -0.03]] as const;

/**
 * How well a picture fits a prompt, by a pair of small networks that were trained for one model's
 * pictures: what that model was never taught to paint, they cannot judge. Whoever paints words into a
 * picture, or tunes one against these weights, which anybody has, is believed.
 */
export class RelevanceEncoder implements AsyncDisposable {
  readonly #settings: Settings;
  readonly #tokenizer: PromptTokenizer;
  readonly #image: Session;
  readonly #text: Session;

  private constructor(
    settings: Settings,
    tokenizer: PromptTokenizer,
    image: Session,
    text: Session,
  ) {
    this.#settings = settings;
    this.#tokenizer = tokenizer;
    this.#image = image;
    this.#text = text;
  }

  /**
   * @param files a folder with `relevance.json`, `tokenizer`, `image_encoder` and `text_encoder`.
   * @throws AppError `model_invalid` naming the file that is missing or broken.
   */
  static async open(files: ModelFiles, runtime: Runtime): Promise<RelevanceEncoder> {
    const settings = settingsSchema.safeParse(await readJson(files, "relevance.json"));
    if (!settings.success) {
      throw new AppError("model_invalid", `Cannot read relevance.json of ${files.name}`, {
        cause: settings.error,
      });
    }
    const tokenizer = await loadTokenizer(files, "tokenizer");
    const open = (folder: string) =>
      runtime.open(files, { graph: `${folder}/model.onnx`, external: [], largestTensor: 0 });
    const image = await open("image_encoder");
    return new RelevanceEncoder(settings.data, tokenizer, image, await open("text_encoder"));
  }

  /**
   * The chance that the prompt is the picture's own, where half of those shown are and the others have one
   * thing wrong or are another's; its uncertainty is how far the same picture, a little shifted, is off.
   */
  async score(image: RgbaImage, prompt: string): Promise<Score> {
    const text = await this.#prompt(prompt);
    const looks = await this.#looks(image);
    const { slope, offset } = this.#settings;
    const values = looks.map((look) => 1 / (1 + Math.exp(-(slope * dot(look, text) + offset))));
    const [value] = values;
    const uncertainty = Math.max(...values.map((each) => Math.abs(each - value)));
    return { value: bounded(value), uncertainty };
  }

  async #prompt(prompt: string): Promise<Float32Array> {
    const { ids } = this.#tokenizer(prompt);
    const data = BigInt64Array.from(ids, BigInt);
    const feeds = { input_ids: { type: "int64" as const, dims: [1, ids.length], data } };
    return Float32Array.from((await this.#text.run(feeds, ["embedding"])).embedding.data, Number);
  }

  /** Of unit length, one for each of {@link SHIFTS}. */
  async #looks(image: RgbaImage): Promise<Float32Array[]> {
    const { size } = this.#settings;
    const data = new Float32Array(SHIFTS.length * 3 * size * size);
    for (const [k, shift] of SHIFTS.entries()) {
      const look = resize(middle(image, shift), { width: size, height: size });
      data.set(fromRgba(look), k * 3 * size * size);
    }
    const dims = [SHIFTS.length, 3, size, size];
    const feeds = { pixel_values: { type: "float32" as const, dims, data } };
    const { embedding } = await this.#image.run(feeds, ["embedding"]);
    const all = Float32Array.from(embedding.data, Number);
    const width = all.length / SHIFTS.length;
    return SHIFTS.map((_, k) => all.subarray(k * width, (k + 1) * width));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#image.release();
    await this.#text.release();
  }
}

/** The largest square in the middle, or one a little smaller and off it. */
function middle(image: RgbaImage, [right, down]: readonly [number, number]): RgbaImage {
  const { width, height, data } = image;
  const whole = Math.min(width, height);
  const side = Math.max(1, Math.round(whole * (1 - 2 * Math.max(Math.abs(right), Math.abs(down)))));
  const left = Math.round((width - side) / 2 + right * whole);
  const top = Math.round((height - side) / 2 + down * whole);
  const square = new Uint8ClampedArray(4 * side * side);
  for (let y = 0; y < side; y++) {
    const from = 4 * ((top + y) * width + left);
    square.set(data.subarray(from, from + 4 * side), 4 * y * side);
  }
  return { width: side, height: side, data: square };
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, k) => sum + value * b[k], 0);
}
