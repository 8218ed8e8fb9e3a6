import { partGraph } from "../architecture/mod.ts";
import { refuseOtherFormats } from "../checkpoint/mod.ts";
import { AppError } from "../error.ts";
import { resize, type RgbaImage } from "../image/mod.ts";
import { floats, type Runtime, type Session, tensorFor, writtenGraph } from "../inference/mod.ts";
import type { ModelFiles } from "../model/mod.ts";
import { readSafetensorsIndex } from "../safetensors/mod.ts";
import { upscalerPart } from "./state_dict.ts";
import { placeTile, planesOf, type Tile, tilesOf } from "./tiles.ts";
import type { Size, Upscaler } from "./upscaler.ts";

/** What a network's file is. */
export interface NetworkFile {
  readonly files: ModelFiles;
  /** Its path among them: `.safetensors`, or `.onnx` with one image in and one out, in 0..1. */
  readonly path: string;
  /** Of its bytes, lower-case hex. */
  readonly sha256: string;
  /** For people. */
  readonly name: string;
}

/** Sides that networks halve first are made even; four times is the most that any does. */
const MULTIPLE = 4;

/**
 * A network that enlarges images tile by tile, so that memory does not grow with the image, as often as the
 * size takes; what is too much then is taken back by Lanczos.
 * @throws AppError `model_invalid` for a file that is no such network.
 */
export async function openUpscaleNetwork(
  runtime: Runtime,
  file: NetworkFile,
): Promise<Upscaler & AsyncDisposable> {
  const session = await openSession(runtime, file);
  const run = networkOf(session, file.path);
  const scale = await scaleOf(run, file.path);
  const enlargeOnce = async (image: RgbaImage) => {
    const [width, height] = [image.width * scale, image.height * scale];
    const large = { width, height, data: new Uint8ClampedArray(4 * width * height) };
    for (const tile of tilesOf(image)) {
      const seen = { ...tile.seen, ...evenSize(tile.seen) };
      const { values } = await run(planesOf(image, seen), seen);
      placeTile(large, { ...tile, seen } satisfies Tile, values, scale);
    }
    return large;
  };
  return {
    id: file.sha256,
    name: file.name,
    enlarge: async (image, size) => {
      let large = image;
      while (large.width < size.width || large.height < size.height) {
        large = await enlargeOnce(large);
      }
      return resize(large, size);
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

function evenSize({ width, height }: Size): Size {
  const even = (side: number) => Math.ceil(side / MULTIPLE) * MULTIPLE;
  return { width: even(width), height: even(height) };
}

async function openSession(runtime: Runtime, { files, path }: NetworkFile): Promise<Session> {
  const refuse = (why: string): never => {
    throw new AppError("model_invalid", `Cannot enlarge by ${path}: ${why}`);
  };
  await refuseOtherFormats(files, path, refuse);
  if (/\.onnx$/i.test(path)) {
    const largestTensor = files.size(path);
    return await runtime.open(files, { graph: path, external: [], largestTensor });
  }
  if (!/\.(safetensors|sft)$/i.test(path)) {
    refuse("its name ends in neither .safetensors nor .onnx");
  }
  const { tensors } = await readSafetensorsIndex(files, path);
  const part = upscalerPart(tensors, path);
  const graph = partGraph("upscaler", part.config, part.tensors, { type: "float32" });
  const opened = writtenGraph(files, path, graph, {
    ...{ byPath: runtime.byPath, widen: !runtime.byPath },
  });
  return await runtime.open(opened.files, opened.graph);
}

/** f32[3, height, width] to f32[3, scale height, scale width]. */
type Run = (
  planes: Float32Array,
  size: Size,
) => Promise<{ readonly values: Float32Array; readonly dims: readonly number[] }>;

function networkOf(session: Session, path: string): Run {
  const { inputs, outputs } = session;
  const [input, output] = [inputs[0], outputs[0]];
  const takesImages = inputs.length === 1 && input.dims.length === 4 && input.dims[1] === 3 &&
    input.dims.slice(2).every((side) => typeof side === "string" || side < 0);
  if (!takesImages || outputs.length !== 1) {
    const shape = inputs.map(({ name, dims }) => `${name} [${dims.join(", ")}]`).join(", ");
    throw new AppError(
      "model_invalid",
      `Cannot enlarge by ${path}: it takes ${shape}, not one image [n, 3, height, width] of any size`,
    );
  }
  return async (planes, { width, height }) => {
    const feeds = { [input.name]: tensorFor(input, planes, [1, 3, height, width]) };
    const { [output.name]: result } = await session.run(feeds, [output.name]);
    return { values: floats(result), dims: result.dims };
  };
}

/** How many times a small image becomes larger. */
async function scaleOf(run: Run, path: string): Promise<number> {
  const side = 16;
  const { dims } = await run(new Float32Array(3 * side * side), { width: side, height: side });
  const scale = dims[3] / side;
  if (dims[1] === 3 && dims[2] === dims[3] && scale > 1 && Number.isInteger(scale)) return scale;
  throw new AppError(
    "model_invalid",
    `Cannot enlarge by ${path}: it makes [${dims.join(", ")}] of 16x16 pixels`,
  );
}
