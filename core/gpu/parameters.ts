import type { StructLayout } from "../../shaders/mod.ts";

/** A value for each field: a number, or four for a vector. */
export type StructValues<Name extends string> = Readonly<Record<Name, number | readonly number[]>>;

/** The bytes of an array of WGSL structs, little-endian. */
export function packStructs<Name extends string>(
  layout: StructLayout<Name>,
  items: readonly StructValues<Name>[],
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(items.length * layout.bytes));
  for (const [index, values] of items.entries()) {
    for (const name in layout.fields) {
      const { type, offset } = layout.fields[name];
      const write = type === "f32" || type === "vec4f" ? view.setFloat32 : view.setUint32;
      const numbers = [values[name]].flat();
      numbers.forEach((number, k) =>
        write.call(view, index * layout.bytes + offset + 4 * k, number, true)
      );
    }
  }
  return new Uint8Array(view.buffer);
}
