/**
 * Kinds of adapters that want different workgroups. `lavapipe` and `swiftshader` compute on the
 * CPU (Mesa's under Deno, Google's in Chrome).
 */
export type AdapterClass = "hardware" | "lavapipe" | "swiftshader";

/** A buffer of a kernel. Its number in WGSL is its place in the kernel's list. */
export interface Binding {
  /** The variable's name in WGSL. */
  readonly name: string;
  readonly access: "uniform" | "read" | "read_write";
}

export type FieldType = "f32" | "u32" | "vec4f" | "vec4u";

export interface Field {
  readonly type: FieldType;
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

/** A WGSL struct of numbers, as bytes. */
export interface StructLayout<Name extends string = string> {
  readonly name: string;
  readonly bytes: number;
  readonly fields: Readonly<Record<Name, Field>>;
}

/** How much one dispatch does. */
export interface Extent {
  /** Per image (or pair): elements, pixels, whatever the kernel counts. */
  readonly items: number;
  /** Images, or pairs. */
  readonly images: number;
}

/** `override` constants of WGSL. */
export type Constants = Readonly<Record<string, number>>;

/** A kernel as a value: all that a host needs to compile, bind and dispatch it. */
export interface Kernel<Name extends string = string> {
  readonly name: string;
  /** WGSL, libraries included; the entry point is `main`. */
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** What binding 0 holds: one of it, or one an image. */
  readonly parameters: StructLayout<Name>;
  /** Every override constant, by class of adapter. */
  readonly constants: Readonly<Record<AdapterClass, Constants>>;
  readonly workgroups: (
    extent: Extent,
    constants: Constants,
  ) => readonly [x: number, y: number];
}

const SIZES: Readonly<Record<FieldType, number>> = { f32: 4, u32: 4, vec4f: 16, vec4u: 16 };

/** A struct's layout by WGSL's rules: numbers align to 4 bytes, vectors to 16. */
export function structLayout<Name extends string>(
  name: string,
  types: Readonly<Record<Name, FieldType>>,
): StructLayout<Name> {
  const fields = {} as Record<Name, Field>;
  let end = 0;
  let alignment = 4;
  for (const field in types) {
    const type = types[field];
    const size = SIZES[type];
    const offset = roundUp(end, size);
    fields[field] = { type, offset };
    end = offset + size;
    alignment = Math.max(alignment, size);
  }
  return { name, bytes: roundUp(end, alignment), fields };
}

/** Bindings from words such as "uniform parameters", "read seeds", "read_write values". */
export function bindings(...words: readonly `${Binding["access"]} ${string}`[]): Binding[] {
  return words.map((word) => {
    const [access, name] = word.split(" ");
    return { access: access as Binding["access"], name };
  });
}

/** Threads along x that each take `unit` items of an image, images along y. */
export function eachImage(unit: number): Kernel["workgroups"] {
  return (
    { items, images },
    constants,
  ) => [Math.ceil(items / (unit * constants.WORKGROUP)), images];
}

/** The same further constants for every class of adapter, besides its workgroup size. */
export function tuned(
  workgroup: Readonly<Record<AdapterClass, number>>,
  further: Constants = {},
): Kernel["constants"] {
  const constants = (size: number) => ({ WORKGROUP: size, ...further });
  return {
    hardware: constants(workgroup.hardware),
    lavapipe: constants(workgroup.lavapipe),
    swiftshader: constants(workgroup.swiftshader),
  };
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
