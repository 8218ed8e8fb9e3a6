import { expect, test } from "vitest";
// Its main file is CommonJS under the name of a module; the types are only next to that one.
// @ts-types="wgsl_reflect"
import { WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import * as shaders from "../../shaders/mod.ts";
import type { Kernel } from "../../shaders/mod.ts";

const kernels: readonly Kernel[] = Object.values(shaders)
  .filter((value) => typeof value === "object")
  .filter((value) => "code" in value);

test("every kernel is checked", () => {
  expect(kernels).toHaveLength(15);
});

/** What the reflection calls a binding. */
function accessOf({ resourceType, access }: { resourceType: number; access: string }) {
  return resourceType === 0 ? "uniform" : access === "" ? "read" : access;
}

test.each(kernels)("$name: the descriptor's bindings are those of the WGSL", (kernel) => {
  const { uniforms, storage } = new WgslReflect(kernel.code);
  const found = [...uniforms, ...storage]
    .sort((a, b) => a.binding - b.binding)
    .map((one) => ({
      binding: one.binding,
      group: one.group,
      name: one.name,
      access: accessOf(one),
    }));
  expect(found).toEqual(
    kernel.bindings.map((binding, place) => ({ binding: place, group: 0, ...binding })),
  );
});

test.each(kernels)("$name: the parameters' offsets and size are those of the WGSL", (kernel) => {
  const { structs } = new WgslReflect(kernel.code);
  const struct = structs.find(({ name }) => name === kernel.parameters.name);
  const { bytes, fields } = kernel.parameters;
  expect({
    bytes: struct?.size,
    fields: struct?.members.map(({ name, offset }) => [name, offset]),
  }).toEqual({ bytes, fields: Object.entries(fields).map(([name, { offset }]) => [name, offset]) });
});

test.each(kernels)("$name: the constants are the overrides of the WGSL", (kernel) => {
  const { overrides } = new WgslReflect(kernel.code);
  const names = overrides.map(({ name }) => name).sort();
  for (const constants of Object.values(kernel.constants)) {
    expect(Object.keys(constants).sort()).toEqual(names);
  }
});

test("STEP_TERMS are the bits of step.wgsl", () => {
  const names = Object.entries(shaders.STEP_TERMS).map(([name, bit]) => [
    name.replace(/[A-Z]/, (letter) => `_${letter}`).toUpperCase(),
    bit,
  ]);
  const found = shaders.stepFloat32.code.matchAll(/^const ([A-Z_0-9]+) = (\d+)u;$/gm);
  const constants = new Map([...found].map(([, name, bit]) => [name, Number(bit)]));
  for (const [name, bit] of names) expect([name, constants.get(String(name))]).toEqual([name, bit]);
});

test.each(kernels)("$name: eight storage buffers are enough", ({ bindings }) => {
  expect(bindings.filter(({ access }) => access !== "uniform").length).toBeLessThanOrEqual(8);
});
