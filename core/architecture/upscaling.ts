import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";

/** What networks that enlarge images have in common. */

/** `image` [n, 3, height, width] in 0..1. */
export function pixelsInput(net: Network): Variable {
  return net.input("image", ["n", 3, "height", "width"]);
}

/** `enlarged` [n, 3, scale height, scale width] in about 0..1. */
export function enlargedOutput(net: Network, x: Variable): void {
  net.output("enlarged", ["n", 3, "enlarged_height", "enlarged_width"], x);
}

/** Each pixel becomes a square of the same. */
export function nearest(net: Network, x: Variable, scale: number): Variable {
  return net.g.op("Resize", [x, undefined, net.g.constant("float32", [1, 1, scale, scale])], {
    attributes: {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    },
  });
}

export function leakyRelu(net: Network, x: Variable): Variable {
  return net.g.op("LeakyRelu", [x], { attributes: { alpha: { float: 0.2 } } });
}

/** torch's PixelShuffle: channels become squares of pixels, a channel's own ones next to each other. */
export function pixelShuffle(net: Network, x: Variable, block: number): Variable {
  return net.g.op("DepthToSpace", [x], { attributes: { blocksize: block, mode: "CRD" } });
}

/** The other way. ONNX puts the places of a square first, torch the channels. */
export function pixelUnshuffle(
  net: Network,
  x: Variable,
  channels: number,
  block: number,
): Variable {
  if (block === 1) return x;
  const places = block ** 2;
  const order = Array.from(
    { length: channels * places },
    (_, k) => k % places * channels + Math.floor(k / places),
  );
  const squares = net.g.op("SpaceToDepth", [x], { attributes: { blocksize: block } });
  return net.g.op("Gather", [squares, net.g.constant("int64", order)], {
    attributes: { axis: 1 },
  });
}
