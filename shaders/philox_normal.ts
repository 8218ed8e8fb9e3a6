import half from "./half.wgsl" with { type: "text" };
import { bindings, eachImage, type Kernel, structLayout, tuned } from "./kernel.ts";
import normal from "./normal.wgsl" with { type: "text" };
import philox from "./philox.wgsl" with { type: "text" };
import main from "./philox_normal.wgsl" with { type: "text" };

/** Seeded Gaussian noise; an item is an element of an image. Constant ROUND: 1 for float16. */
export const philoxNormal = {
  name: "philox_normal",
  code: half + philox + normal + main,
  bindings: bindings("uniform parameters", "read seeds", "read_write values"),
  parameters: structLayout("Parameters", { n: "u32", draw: "u32", scale: "f32" }),
  constants: tuned({ hardware: 256, lavapipe: 256, swiftshader: 256 }, { ROUND: 0 }),
  workgroups: eachImage(4),
} satisfies Kernel;
