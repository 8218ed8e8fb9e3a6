import { bindings, type Kernel, structLayout, tuned } from "./kernel.ts";
import main from "./rescale_guidance.wgsl" with { type: "text" };
import row from "./step_row.wgsl" with { type: "text" };

/** Rescales guidance before a step, in the step's rows; one workgroup an image. */
export const rescaleGuidance = {
  name: "rescale_guidance",
  code: row + main,
  bindings: bindings("read rescales", "read networkOutput", "read_write rows"),
  parameters: structLayout("Rescale", {
    fromPositive: "f32",
    fromNegative: "f32",
    scale: "f32",
    share: "f32",
    n: "u32",
    positiveRow: "u32",
    negativeRow: "u32",
  }),
  // Powers of two, 256 at most.
  constants: tuned({ hardware: 256, lavapipe: 64, swiftshader: 8 }, { HALF: 0 }),
  workgroups: ({ images }) => [1, images],
} satisfies Kernel;
