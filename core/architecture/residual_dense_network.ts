import { z } from "zod";
import type { OnnxGraph } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { count, decodeConfig } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { enlargedOutput, nearest, pixelsInput } from "./upscaling.ts";

const NAME = "ResidualDenseNetwork";
/** Of the two convolutions before the image is enlarged; as it was trained. */
const [UPSAMPLING, UPSAMPLING_2] = [64, 32];

const schema = z.strictObject({
  /** Residual dense blocks. */
  num_block: count,
  /** Convolutions of each. */
  num_conv: count,
  num_feat: count,
  num_grow_ch: count,
  upscale: count,
});

/**
 * The residual dense network of idealo's image-super-resolution, by the names of its layers there. `image`
 * [n, 3, h, w] in 0..1 to `enlarged`.
 * @see https://arxiv.org/abs/1802.08797, section 3.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function residualDenseNetwork(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const config = decodeConfig(NAME, schema, json);
  const { num_block, num_conv, num_feat: width, num_grow_ch: growth, upscale } = config;
  const net = new Network(NAME, tensors, options);
  const relu = (x: ReturnType<typeof net.conv>) => net.g.op("Relu", [x]);

  const first = net.conv(pixelsInput(net), "F_m1", 3, width);
  let x = net.conv(first, "F_0", width, width);
  const blocks = [];
  for (let d = 1; d <= num_block; d++) {
    const seen = [x];
    for (let c = 1; c <= num_conv; c++) {
      const from = width + (c - 1) * growth;
      seen.push(relu(net.conv(net.concat(seen, 1), `F_${d}_${c}`, from, growth)));
    }
    const fused = net.concat(seen, 1);
    const local = net.conv(fused, `LFF_${d}`, width + num_conv * growth, width, { kernel: 1 });
    x = net.add(local, x);
    blocks.push(x);
  }
  x = net.conv(net.concat(blocks, 1), "GFF_1", num_block * width, width, { kernel: 1 });
  x = net.add(net.conv(x, "GFF_2", width, width), first);
  x = relu(net.conv(x, "UPN1", width, UPSAMPLING, { kernel: 5 }));
  x = relu(net.conv(x, "UPN2", UPSAMPLING, UPSAMPLING_2));
  x = net.conv(x, "UPN3", UPSAMPLING_2, 3 * upscale ** 2);
  enlargedOutput(net, net.conv(nearest(net, x, upscale), "SR", 3 * upscale ** 2, 3));
  return net.finish();
}
