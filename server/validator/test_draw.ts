import { wordsOf } from "../../core/content/mod.ts";
import { LATENT_SCALE } from "../../core/latent_scale.ts";
import type { ImageFormat } from "../../core/image/mod.ts";
import {
  decodeRequest,
  encodeRequest,
  type GenerationRequest,
  randomSeed,
  type RequestDefaults,
  workOf,
} from "../../core/request/mod.ts";
import type { Asked } from "./miner_caller.ts";
import type { PromptSource } from "./prompts.ts";
import { oneOf, type Random } from "./selection.ts";

/** A request that nobody needs, to measure a miner by. */
export interface TestRequest extends Pick<Asked, "request" | "format" | "manifest"> {
  /** In images of the model's default. */
  readonly work: number;
}

/** A new request each time, so that nothing can be made before; miners must not know it for a test. */
export type TestDraw = () => Promise<TestRequest>;

/** What a request asks for, besides its words and its seed. */
export interface RequestShape
  extends Pick<GenerationRequest, "width" | "height" | "steps" | "guidanceScale"> {
  readonly format: ImageFormat;
  /** How many words its prompt has. */
  readonly words: number;
}

/** Of users, that are remembered; and how many there must be before tests go by them. */
const REMEMBERED = 500;
const ENOUGH = 20;

/** How users asked lately: the shapes of their requests, and none of their words. */
export class RecentShapes {
  readonly #shapes: RequestShape[] = [];
  #next = 0;

  add(request: GenerationRequest, format: ImageFormat): void {
    const { width, height, steps, guidanceScale, prompt } = request;
    const words = wordsOf(prompt);
    this.#shapes[this.#next] = { width, height, steps, guidanceScale, format, words };
    this.#next = (this.#next + 1) % REMEMBERED;
  }

  /** @returns undefined as long as too few are known. */
  draw(random: Random): RequestShape | undefined {
    return this.#shapes.length < ENOUGH ? undefined : oneOf(this.#shapes, random);
  }
}

export interface TestDrawParts {
  readonly prompts: PromptSource;
  readonly defaults: Omit<RequestDefaults, "seed">;
  /** What is always so. */
  readonly fixed: { readonly size?: number; readonly steps?: number };
  readonly recent: RecentShapes;
  readonly manifest: string | undefined;
  readonly random: Random;
}

const NEGATIVE_SHARE = 0.3;
const NEGATIVES = [
  ...["blurry, low quality", "text, watermark", "ugly, deformed hands", "lowres", "people"],
  ...["bad anatomy, extra fingers, jpeg artifacts", "cartoon, 3d, painting", "dark, noisy"],
];

/** Requests as users send them: shaped like theirs, and by a usual mix before there are any. */
export function testDraw(parts: TestDrawParts): TestDraw {
  const { prompts, defaults, fixed, recent, manifest, random } = parts;
  return async () => {
    const { format, words, ...usual } = recent.draw(random) ?? usualShape(defaults, random);
    const { size, steps = usual.steps } = fixed;
    const sides = size === undefined ? {} : { width: size, height: size };
    const negativePrompt = random() < NEGATIVE_SHARE ? oneOf(NEGATIVES, random) : "";
    const asked = { prompt: await prompts(words), negativePrompt };
    const request = decodeRequest(asked, { ...usual, ...sides, steps, seed: randomSeed() });
    return { request: encodeRequest(request), format, manifest, work: workOf(request, defaults) };
  };
}

/** Of the model's default: each as often as it stands here. */
const ASPECTS = [[1, 1], [1, 1], [1, 1], [0.75, 1], [1, 0.75]] as const;
const STEPS = [1, 1, 1, 0.75, 1.5];
const GUIDANCES = [1, 1, 1, 0.8, 1.2];
const FORMATS = ["png", "png", "png", "jpeg", "webp"] as const;
const WORDS = [3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 11, 12, 14];
/** Pixels: every known model takes a side that is a multiple. */
const SIDE_STEP = 8 * LATENT_SCALE;

function usualShape(defaults: TestDrawParts["defaults"], random: Random): RequestShape {
  const [wide, high] = oneOf(ASPECTS, random);
  return {
    width: sideOf(wide * defaults.width),
    height: sideOf(high * defaults.height),
    steps: Math.max(1, Math.round(oneOf(STEPS, random) * defaults.steps)),
    guidanceScale: Math.round(10 * oneOf(GUIDANCES, random) * defaults.guidanceScale) / 10,
    format: oneOf(FORMATS, random),
    words: oneOf(WORDS, random),
  };
}

function sideOf(pixels: number): number {
  return Math.max(SIDE_STEP, SIDE_STEP * Math.round(pixels / SIDE_STEP));
}
