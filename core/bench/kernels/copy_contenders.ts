import { bindings, type Kernel, structLayout, tuned } from "../../../shaders/kernel.ts";
import { bindKernel, compileKernel, packStructs } from "../../gpu/mod.ts";

import { type Contender, dispatchContender } from "./contender.ts";
import code from "./copy.wgsl" with { type: "text" };
import type { Workspace } from "./workbench.ts";

/** Workgroups of one row: no adapter allows fewer than 65,535. */
const MAX_GROUPS = 65_535;

/** Moves bytes; an item is 16 of them. */
const copyKernel = {
  name: "copy_vec4",
  code,
  bindings: bindings("uniform parameters", "read source", "read_write copied"),
  parameters: structLayout("Parameters", { quads: "u32" }),
  constants: tuned({ hardware: 256, lavapipe: 256, swiftshader: 256 }),
  workgroups: ({ items }, constants) => {
    const groups = Math.ceil(items / constants.WORKGROUP);
    const rows = Math.ceil(groups / MAX_GROUPS);
    return [Math.ceil(groups / rows), rows];
  },
} satisfies Kernel;

/**
 * What a kernel of so many bytes is compared with: a copy kernel and `copyBufferToBuffer`, which
 * read half of the bytes and write the other half.
 */
export async function copyContenders(space: Workspace, bytes: number): Promise<Contender[]> {
  const { gpu, timer } = space.bench;
  const quads = Math.ceil(bytes / 32);
  const source = space.buffer(16 * quads, "copy source");
  const copied = space.buffer(16 * quads, "copy target");
  const parameters = space.uniform(packStructs(copyKernel.parameters, [{ quads }]), "copy size");
  const kernel = await compileKernel(gpu, copyKernel);
  const extent = { items: quads, images: 1 };
  const dispatch = bindKernel(gpu, kernel, [parameters, source, copied], extent);
  const shared = { bytes: 32 * quads, chosen: false };
  return [
    dispatchContender(gpu, timer, {
      ...shared,
      name: copyKernel.name,
      kind: "copy kernel",
      code,
      dispatches: [dispatch],
    }),
    {
      ...shared,
      name: "copyBufferToBuffer",
      kind: "buffer copy",
      run: (times) =>
        timer.timeCommands(
          times,
          (encoder) => encoder.copyBufferToBuffer(source, 0, copied, 0, 16 * quads),
        ),
      result: () => Promise.resolve(undefined),
    },
  ];
}
