import { z } from "zod";
import type { Variable } from "../onnx/mod.ts";
import type { Network } from "./network.ts";

/** Names of diffusers and transformers. */
export const activationName = z.enum([
  "silu",
  "swish",
  "gelu",
  "gelu_new",
  "quick_gelu",
  "relu",
  "mish",
]);
export type ActivationName = z.infer<typeof activationName>;

export function activation({ g }: Network, name: ActivationName, x: Variable): Variable {
  switch (name) {
    case "silu":
    case "swish":
      return g.op("Mul", [x, g.op("Sigmoid", [x])]);
    case "gelu":
      return g.op("Gelu", [x]);
    case "gelu_new":
      return g.op("Gelu", [x], { attributes: { approximate: "tanh" } });
    case "quick_gelu":
      return g.op("QuickGelu", [x], {
        attributes: { alpha: { float: 1.702 } },
        domain: "com.microsoft",
      });
    case "relu":
      return g.op("Relu", [x]);
    case "mish":
      return g.op("Mish", [x]);
    default:
      return name satisfies never;
  }
}
