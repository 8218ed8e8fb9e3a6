import type { GenerationRequest } from "./request.ts";

/** A file that a request names by its hash: its bytes travel beside the request. */
export interface RequestInput {
  /** Of the request. */
  readonly field: "image" | "mask" | "control";
  /** Of the file's bytes, lower-case hex. */
  readonly sha256: string;
}

/** Every file that a request names, in the order of its fields; one file may be named twice. */
export function inputsOf(
  { image, mask, control }: Pick<GenerationRequest, "image" | "mask" | "control">,
): readonly RequestInput[] {
  const named = { image, mask };
  const sources = (["image", "mask"] as const).flatMap((field) => {
    const sha256 = named[field];
    return sha256 === undefined ? [] : [{ field, sha256 }];
  });
  const controls = control.map(({ image }) => ({ field: "control" as const, sha256: image }));
  return [...sources, ...controls];
}
