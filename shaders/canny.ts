import gradient from "./canny_gradient.wgsl" with { type: "text" };
import suppress from "./canny_suppress.wgsl" with { type: "text" };
import trace from "./canny_trace.wgsl" with { type: "text" };
import blur from "./gaussian_blur.wgsl" with { type: "text" };
import { bindings, eachImage, type Kernel, structLayout, tuned } from "./kernel.ts";

/** The kernels of OpenCV's Canny in their order, for one image; an item is a pixel. */
const size = structLayout("Parameters", { width: "u32", height: "u32" });
const constants = tuned({ hardware: 256, lavapipe: 256, swiftshader: 256 });
const shared = { constants, workgroups: eachImage(1) };

/** cv2.GaussianBlur. Constant RADIUS: 1 for 3x3, 2 for 5x5. */
export const gaussianBlur = {
  ...shared,
  name: "gaussian_blur",
  code: blur,
  bindings: bindings("uniform parameters", "read rgba", "read_write blurred"),
  parameters: size,
  constants: tuned({ hardware: 256, lavapipe: 256, swiftshader: 256 }, { RADIUS: 1 }),
} satisfies Kernel;

export const cannyGradient = {
  ...shared,
  name: "canny_gradient",
  code: gradient,
  bindings: bindings("uniform parameters", "read rgba", "read_write gradient"),
  parameters: size,
} satisfies Kernel;

export const cannySuppress = {
  ...shared,
  name: "canny_suppress",
  code: suppress,
  bindings: bindings("uniform parameters", "read gradient", "read_write marks"),
  parameters: structLayout("Parameters", {
    width: "u32",
    height: "u32",
    low: "u32",
    high: "u32",
  }),
} satisfies Kernel;

export const cannyTrace = {
  ...shared,
  name: "canny_trace",
  code: trace,
  bindings: bindings("uniform parameters", "read_write marks", "read_write changed"),
  parameters: size,
} satisfies Kernel;
