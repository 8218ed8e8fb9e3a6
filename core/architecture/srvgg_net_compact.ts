import { z } from "zod";
import type { OnnxGraph } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { count, decodeConfig, only } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { enlargedOutput, nearest, pixelShuffle, pixelsInput } from "./upscaling.ts";

const NAME = "SRVGGNetCompact";

const schema = z.strictObject({
  num_in_ch: only(3),
  num_out_ch: only(3),
  num_feat: count.default(64),
  num_conv: count.default(16),
  upscale: count.default(4),
  act_type: only("prelu"),
});

/**
 * Real-ESRGAN's compact network: all convolutions at the image's own size, and what they find is added to
 * the image enlarged by its nearest pixels. `image` [n, 3, h, w] in 0..1 to `enlarged`.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function srvggNetCompact(
  json: unknown,
  tensors: TensorIndex,
  options?: NetworkOptions,
): OnnxGraph {
  const { num_feat: width, num_conv, upscale } = decodeConfig(NAME, schema, json);
  const net = new Network(NAME, tensors, options);
  const image = pixelsInput(net);
  let x = image;
  for (let k = 0; k <= num_conv; k++) {
    x = net.conv(x, `body.${2 * k}`, k === 0 ? 3 : width, width);
    const slopes = net.reshape(net.weight(`body.${2 * k + 1}.weight`, [width]), [width, 1, 1]);
    x = net.g.op("PRelu", [x, slopes]);
  }
  x = net.conv(x, `body.${2 * num_conv + 2}`, width, 3 * upscale ** 2);
  enlargedOutput(net, net.add(pixelShuffle(net, x, upscale), nearest(net, image, upscale)));
  return net.finish();
}
