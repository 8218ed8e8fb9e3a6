export { cannyEdges } from "./canny.ts";
export { type CannyOptions, cannyReference, gaussianBlurReference } from "./canny_reference.ts";
