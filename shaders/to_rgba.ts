import half from "./half.wgsl" with { type: "text" };
import { bindings, eachImage, type Kernel, structLayout, tuned } from "./kernel.ts";
import main from "./to_rgba.wgsl" with { type: "text" };
import float16 from "./to_rgba_planes_f16.wgsl" with { type: "text" };
import float32 from "./to_rgba_planes_f32.wgsl" with { type: "text" };

/** The decoder's planes as pixels; an item is a pixel of an image. */
const toRgba = {
  bindings: bindings(
    "uniform parameters",
    "read planes",
    "read_write rgba",
    "read_write strange",
  ),
  parameters: structLayout("Parameters", { pixels: "u32" }),
  constants: tuned({ hardware: 256, lavapipe: 256, swiftshader: 256 }),
  workgroups: eachImage(4),
} satisfies Omit<Kernel, "name" | "code">;

export const toRgbaFloat32 = { ...toRgba, name: "to_rgba_f32", code: float32 + main };
export const toRgbaFloat16 = { ...toRgba, name: "to_rgba_f16", code: half + float16 + main };
