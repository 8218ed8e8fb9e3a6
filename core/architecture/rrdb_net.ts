import { z } from "zod";
import type { OnnxGraph, Variable } from "../onnx/mod.ts";
import type { TensorIndex } from "../safetensors/mod.ts";
import { count, decodeConfig, only } from "./config.ts";
import { Network, type NetworkOptions } from "./network.ts";
import { enlargedOutput, leakyRelu, nearest, pixelsInput, pixelUnshuffle } from "./upscaling.ts";

const NAME = "RRDBNet";
/** Of each residual before it is added. */
const RESIDUAL = 0.2;
const CONVS = 5;

const schema = z.strictObject({
  num_in_ch: only(3),
  num_out_ch: only(3),
  num_feat: count.default(64),
  num_block: count.default(23),
  num_grow_ch: count.default(32),
  scale: z.literal([1, 2, 4]).default(4),
});

/**
 * ESRGAN's network, as BasicSR and Real-ESRGAN name its parts: `image` [n, 3, h, w] in 0..1 to `enlarged`
 * [n, 3, scale h, scale w]. It always enlarges by 4; at a smaller scale it is given fewer pixels of more
 * channels.
 * @see ESRGAN, https://arxiv.org/abs/1809.00219, section 3.1.
 * @throws AppError `model_invalid` naming a field or tensor that does not fit.
 */
export function rrdbNet(json: unknown, tensors: TensorIndex, options?: NetworkOptions): OnnxGraph {
  const { num_feat: width, num_grow_ch: growth, num_block, scale } = decodeConfig(
    NAME,
    schema,
    json,
  );
  const net = new Network(NAME, tensors, options);
  const block = 4 / scale;
  const input = pixelUnshuffle(net, pixelsInput(net), 3, block);

  const first = net.conv(input, "conv_first", 3 * block ** 2, width);
  let x = first;
  for (let i = 0; i < num_block; i++) x = residualInResidual(net, x, `body.${i}`, width, growth);
  x = net.add(first, net.conv(x, "conv_body", width, width));
  for (const name of ["conv_up1", "conv_up2"]) {
    x = leakyRelu(net, net.conv(nearest(net, x, 2), name, width, width));
  }
  x = leakyRelu(net, net.conv(x, "conv_hr", width, width));
  enlargedOutput(net, net.conv(x, "conv_last", width, 3));
  return net.finish();
}

function residualInResidual(
  net: Network,
  x: Variable,
  name: string,
  width: number,
  growth: number,
): Variable {
  let h = x;
  for (const part of ["rdb1", "rdb2", "rdb3"]) {
    h = denseBlock(net, h, `${name}.${part}`, width, growth);
  }
  return net.add(x, net.scale(h, RESIDUAL));
}

/** Each convolution sees what all before it gave. */
function denseBlock(net: Network, x: Variable, name: string, width: number, growth: number) {
  const seen = [x];
  for (let k = 1; k < CONVS; k++) {
    const from = width + (k - 1) * growth;
    seen.push(leakyRelu(net, net.conv(net.concat(seen, 1), `${name}.conv${k}`, from, growth)));
  }
  const from = width + (CONVS - 1) * growth;
  const last = net.conv(net.concat(seen, 1), `${name}.conv${CONVS}`, from, width);
  return net.add(x, net.scale(last, RESIDUAL));
}
