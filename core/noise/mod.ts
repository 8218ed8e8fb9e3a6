export { gaussianNoise } from "./gaussian.ts";
export { philox } from "./philox.ts";
