import half from "./half.wgsl" with { type: "text" };
import { bindings, type Kernel, structLayout, tuned } from "./kernel.ts";
import main from "./residual.wgsl" with { type: "text" };

/** Numbers in one thread's partial. */
export const PARTIAL_LENGTH = 12;

/** Fewer fours of elements a thread make the partials dearer to read back than the tensors. */
const FOURS_A_THREAD = 16;
const MAX_GROUPS = 64;

/** Partial sums of the comparison of steps; an item is an element of a pair, an image a pair. */
export const residual = {
  name: "residual",
  code: half + main,
  bindings: bindings("read pairs", "read claimed", "read recomputed", "read_write partials"),
  parameters: structLayout("Pair", {
    alpha: "f32",
    n: "u32",
    stateAt: "u32",
    denoisedAt: "u32",
    nextAt: "u32",
    denoisedAgainAt: "u32",
    nextAgainAt: "u32",
  }),
  constants: tuned({ hardware: 64, lavapipe: 64, swiftshader: 64 }),
  workgroups: ({ items, images }, { WORKGROUP }) => {
    const groups = Math.ceil(items / (4 * FOURS_A_THREAD * WORKGROUP));
    return [Math.min(groups, MAX_GROUPS), images];
  },
} satisfies Kernel;
