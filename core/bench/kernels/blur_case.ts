import { gaussianBlur } from "../../../shaders/mod.ts";
import { gaussianBlurReference } from "../../control/mod.ts";
import { packStructs } from "../../gpu/mod.ts";
import type { BenchCase } from "./case.ts";
import { cpuContender } from "./contender.ts";
import { picture } from "./data.ts";
import { kernelVariants } from "./variants.ts";

export const blurCase: BenchCase = {
  name: "gaussian_blur",
  about: "OpenCV's GaussianBlur 3x3 of an RGBA8 image, and 5x5.",
  unit: "image",
  tolerance: 0,
  async prepare(space, { side }) {
    const data = picture(side);
    const bytes = 8 * side * side;
    const blurred = space.buffer(data.length, "blurred");
    const parameters = packStructs(gaussianBlur.parameters, [{ width: side, height: side }]);
    const shared = {
      kernel: gaussianBlur,
      resources: [
        space.uniform(parameters, "image size"),
        space.buffer(data.length, "image", data),
        blurred,
      ],
      extent: { items: side * side, images: 1 },
      bytes,
    };
    const decode = (words: ArrayBuffer) => new Uint8Array(words);
    const output = { buffer: blurred, offset: 0, bytes: data.length, decode };
    const wide = { constants: { RADIUS: 2 }, suffix: " 5x5", primary: false };
    return [
      ...await kernelVariants(space, { ...shared, output }),
      ...await kernelVariants(space, { ...shared, ...wide }),
      cpuContender(
        "gaussianBlurReference",
        bytes,
        () => gaussianBlurReference({ width: side, height: side, data }, 1).data,
      ),
    ];
  },
};
