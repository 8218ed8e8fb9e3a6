import half from "./half.wgsl" with { type: "text" };
import { bindings, type Kernel, structLayout } from "./kernel.ts";
import normal from "./normal.wgsl" with { type: "text" };
import philox from "./philox.wgsl" with { type: "text" };
import main from "./step.wgsl" with { type: "text" };
import blend from "./step_blend.wgsl" with { type: "text" };
import any from "./step_network_any.wgsl" with { type: "text" };
import float16 from "./step_network_f16.wgsl" with { type: "text" };
import float32 from "./step_network_f32.wgsl" with { type: "text" };
import plain from "./step_plain.wgsl" with { type: "text" };
import row from "./step_row.wgsl" with { type: "text" };

/** Row index of an image that has no negative prompt. */
export const NO_ROW = 0xffffffff;

/** The bits of the constant TERMS, as in step.wgsl. */
export const STEP_TERMS = {
  ...{ fromX: 1, fromPositive: 2, fromNegative: 4 },
  ...{ state0: 8, state1: 16, state2: 32, state3: 64 },
  ...{ denoised0: 128, denoised1: 256, denoised2: 512, denoised3: 1024 },
  noise: 2048,
} as const;

/** One step of a plan in one dispatch; an item is an element of an image. */
const step = {
  bindings: bindings(
    "read rows",
    "read networkOutput",
    "read_write networkInput",
    "read_write ring",
    "read_write stateBits",
    "read_write denoisedBits",
  ),
  parameters: structLayout("Row", {
    states: "vec4f",
    denoised: "vec4f",
    fromX: "f32",
    fromPositive: "f32",
    fromNegative: "f32",
    noise: "f32",
    stateAt: "vec4u",
    denoisedAt: "vec4u",
    nextAt: "u32",
    n: "u32",
    positiveRow: "u32",
    negativeRow: "u32",
    inScale: "f32",
    draw: "u32",
    seedLow: "u32",
    seedHigh: "u32",
    blendSource: "f32",
    blendNoise: "f32",
  }),
  constants: {
    hardware: { WORKGROUP: 256, QUADS: 1, TERMS: 0, BUILTIN_HALF: 0 },
    // Small tiles: a core that goes through several long rows at once misses its caches.
    lavapipe: { WORKGROUP: 8, QUADS: 8, TERMS: 0, BUILTIN_HALF: 0 },
    // Long threads: reading a row costs as much as a quad.
    swiftshader: { WORKGROUP: 16, QUADS: 32, TERMS: 0, BUILTIN_HALF: 1 },
  },
  workgroups: ({ items, images }, { WORKGROUP, QUADS }) => [
    Math.ceil(items / (4 * QUADS * WORKGROUP)),
    images,
  ],
} satisfies Omit<Kernel, "name" | "code">;

const shared = half + philox + normal + row;

/** For networks in float32 whose latents have a multiple of four elements. */
export const stepFloat32 = { ...step, name: "step_f32", code: shared + float32 + plain + main };
/** For networks in float16 whose latents have a multiple of four elements. */
export const stepFloat16 = { ...step, name: "step_f16", code: shared + float16 + plain + main };
/** For networks in float32 and latents of any length. */
export const stepAnyLength = { ...step, name: "step_any", code: shared + any + plain + main };

/** Of a run that keeps a source image where a mask says so. */
const blending = { ...step, bindings: [...step.bindings, ...bindings("read source")] };
/** As {@link stepFloat32}, with a mask. */
export const blendFloat32 = {
  ...blending,
  name: "blend_f32",
  code: shared + float32 + blend + main,
};
/** As {@link stepFloat16}, with a mask. */
export const blendFloat16 = {
  ...blending,
  name: "blend_f16",
  code: shared + float16 + blend + main,
};
/** As {@link stepAnyLength}, with a mask. */
export const blendAnyLength = { ...blending, name: "blend_any", code: shared + any + blend + main };
