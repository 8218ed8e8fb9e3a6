import type { Receipt } from "../../../core/transcript/mod.ts";

/** A file that a receipt's request names. */
export interface NamedFile {
  readonly role: "image" | "mask" | "control" | "lora";
  /** Of its bytes, lower-case hex. */
  readonly sha256: string;
}

/** Every file that a receipt's request names, each once in a role. */
export function namedFiles({ request }: Pick<Receipt, "request">): readonly NamedFile[] {
  const { image, mask, control = [], adapters } = request;
  const all = [
    ...named("image", [image]),
    ...named("mask", [mask]),
    ...named("control", control.map((each) => each.image)),
    ...named("lora", Array.isArray(adapters) ? adapters.map((each) => Object(each).sha256) : []),
  ];
  return all.filter(({ role, sha256 }, k) =>
    k === all.findIndex((each) => each.role === role && each.sha256 === sha256)
  );
}

/** What is no hash its check refuses. */
function named(role: NamedFile["role"], values: readonly unknown[]): NamedFile[] {
  return values.flatMap((sha256) =>
    typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) ? [{ role, sha256 }] : []
  );
}
