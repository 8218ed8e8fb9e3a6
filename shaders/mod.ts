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
export { PARTIAL_LENGTH, residual } from "./residual.ts";
export { NO_ROW, STEP_TERMS, stepAnyLength, stepFloat16, stepFloat32 } from "./step.ts";
export { toRgbaFloat16, toRgbaFloat32 } from "./to_rgba.ts";
