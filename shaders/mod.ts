/**
 * The kernels: WGSL with the small descriptor that binds it (name, bindings, constants, dispatch
 * size). A kernel is a value; `core/gpu` compiles and runs it.
 *
 * ```ts
 * import { philoxNormal } from "./mod.ts";
 *
 * const { code, constants, workgroups } = philoxNormal;
 * console.assert(code.includes("fn main("));
 * // Groups for two images of 16,384 elements.
 * const groups = workgroups({ items: 16_384, images: 2 }, constants.hardware);
 * console.assert(groups[1] === 2);
 * ```
 */
export { cannyGradient, cannySuppress, cannyTrace, gaussianBlur } from "./canny.ts";
export type {
  AdapterClass,
  Binding,
  Constants,
  Extent,
  Field,
  FieldType,
  Kernel,
  StructLayout,
} from "./kernel.ts";
export { philoxNormal } from "./philox_normal.ts";
export { rescaleGuidance } from "./rescale_guidance.ts";
export { PARTIAL_LENGTH, residual } from "./residual.ts";
export {
  blendAnyLength,
  blendFloat16,
  blendFloat32,
  NO_ROW,
  STEP_TERMS,
  stepAnyLength,
  stepFloat16,
  stepFloat32,
} from "./step.ts";
export { toRgbaFloat16, toRgbaFloat32 } from "./to_rgba.ts";
