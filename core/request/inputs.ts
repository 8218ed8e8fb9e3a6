/** A file that a request names by its hash: its bytes travel beside the request. */
export interface RequestInput {
  /** Of the request. */
  readonly field: "image" | "mask" | "control";
  /** Of the file's bytes, lower-case hex. */
  readonly sha256: string;
}

/** A request, or a receipt's, as far as it names files. */
interface NamingFiles {
  readonly image?: string;
  readonly mask?: string;
  readonly control?: readonly { readonly image: string }[];
}

/** Every file that a request names, in the order of its fields; one file may be named twice. */
export function inputsOf({ image, mask, control = [] }: NamingFiles): readonly RequestInput[] {
  const named = { image, mask };
  const sources = (["image", "mask"] as const).flatMap((field) => {
    const sha256 = named[field];
    return sha256 === undefined ? [] : [{ field, sha256 }];
  });
  return [...sources, ...control.map((use) => ({ field: "control" as const, sha256: use.image }))];
}

/** Something of every file that is named, each got once and one after the other. */
export async function ofEachInput<T>(
  inputs: readonly RequestInput[],
  get: (input: RequestInput) => T | Promise<T>,
): Promise<Map<string, T>> {
  const all = new Map<string, T>();
  for (const input of inputs) {
    if (!all.has(input.sha256)) all.set(input.sha256, await get(input));
  }
  return all;
}
