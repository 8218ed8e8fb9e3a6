import { useMemo } from "preact/hooks";
import { encodeReceipt, type Receipt } from "../../../core/transcript/mod.ts";
import { type InputBlobs, type NamedFile, namedFiles } from "../api/mod.ts";
import { BlobDownload } from "./blob_image.tsx";

const NAMES: Readonly<Record<NamedFile["role"], string>> = {
  ...{ image: "source", mask: "mask", control: "control", lora: "lora" },
};

/** All that somebody else needs to check an image, of what is here. @param name of its files. */
export function EvidenceDownloads({ receipt, steps, inputs = {}, name }: {
  readonly receipt: Receipt;
  /** Its run's transcript. */
  readonly steps?: Blob;
  readonly inputs?: InputBlobs;
  readonly name: string;
}) {
  const file = useMemo(() => new Blob([encodeReceipt(receipt)]), [receipt]);
  return (
    <details class="evidence">
      <summary class="small">Save what a check needs</summary>
      <p class="row">
        <BlobDownload blob={file} name={`${name}.receipt.json`}>Its receipt</BlobDownload>
        {steps && (
          <BlobDownload blob={steps} name={`${name}.safetensors`}>Its transcript</BlobDownload>
        )}
        {namedFiles(receipt).map(({ role, sha256 }, k, all) => {
          const blob = inputs[sha256];
          const nth = all.slice(0, k).filter((each) => each.role === role).length + 1;
          const what = nth === 1 ? NAMES[role] : `${NAMES[role]} ${nth}`;
          const path = `${name}.${what.replace(" ", "-")}${blob ? endingOf(blob, role) : ""}`;
          return blob && (
            <BlobDownload key={role + sha256} blob={blob} name={path}>{`Its ${what}`}</BlobDownload>
          );
        })}
      </p>
    </details>
  );
}

function endingOf({ type }: Blob, role: NamedFile["role"]): string {
  if (role === "lora") return ".safetensors";
  return `.${/^image\/(\w+)$/.exec(type)?.[1] ?? "png"}`;
}
