import type { GenerationRequest } from "./request.ts";

/** A file that a request names by its hash: its bytes travel beside the request. */
export interface RequestInput {
  /** Of the request. */
  readonly field: "image" | "mask";
  /** Of the file's bytes, lower-case hex. */
  readonly sha256: string;
}

/** Every file that a request names, in the order of its fields; one file may be named twice. */
export function inputsOf(
  { image, mask }: Pick<GenerationRequest, "image" | "mask">,
): readonly RequestInput[] {
  const named = { image, mask };
  return (["image", "mask"] as const).flatMap((field) => {
    const sha256 = named[field];
    return sha256 === undefined ? [] : [{ field, sha256 }];
  });
}
