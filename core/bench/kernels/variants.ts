import type { Constants, Extent, Kernel } from "../../../shaders/mod.ts";
import { bindKernel, compileKernel, type Gpu, type Resource } from "../../gpu/mod.ts";

import { type Contender, dispatchContender, type Output } from "./contender.ts";
import type { Workspace } from "./workbench.ts";

/** Values worth trying of the constants by which kernels are tuned. */
const TUNABLE: Readonly<Record<string, readonly number[]>> = {
  WORKGROUP: [8, 64, 256],
  QUADS: [1, 8, 32],
};

export interface Variants {
  readonly kernel: Kernel;
  readonly resources: readonly Resource[];
  readonly extent: Extent;
  /** Bytes that the kernel must at least read and write. */
  readonly bytes: number;
  readonly output?: Output;
  /** Constants over the descriptor's, and what the name says of them. */
  readonly constants?: Constants;
  readonly suffix?: string;
  /** False for kernels that the engine does not take for the case's work: they are not tuned. */
  readonly primary?: boolean;
}

/**
 * A kernel as its descriptor tunes it for this class of adapter, which is how the engine uses it,
 * and with each of its tunable constants at other values.
 */
export async function kernelVariants(space: Workspace, of: Variants): Promise<Contender[]> {
  const { gpu, timer } = space.bench;
  const { kernel, primary = true } = of;
  const own = { ...kernel.constants[gpu.adapterClass], ...of.constants };
  const tuned = primary ? otherTunings(gpu, own) : [];
  return await Promise.all([own, ...tuned].map(async (constants) => {
    const compiled = await compileKernel(gpu, kernel, constants);
    return dispatchContender(gpu, timer, {
      name: `${kernel.name}${of.suffix ?? ""} ${tuningName(constants)}`,
      kind: "kernel",
      bytes: of.bytes,
      chosen: primary && constants === own,
      code: kernel.code,
      dispatches: [bindKernel(gpu, compiled, of.resources, of.extent)],
      output: of.output,
    });
  }));
}

function otherTunings({ device: { limits } }: Gpu, own: Constants): Constants[] {
  return Object.entries(TUNABLE).flatMap(([name, values]) =>
    values.filter((value) => name in own && value !== own[name])
      .map((value) => ({ ...own, [name]: value }))
      .filter(({ WORKGROUP }) => WORKGROUP <= limits.maxComputeInvocationsPerWorkgroup)
  );
}

/** `@64`, or `@64 x8` for threads that take eight fours of elements. */
function tuningName({ WORKGROUP, QUADS }: Constants): string {
  return QUADS === undefined ? `@${WORKGROUP}` : `@${WORKGROUP} x${QUADS}`;
}
