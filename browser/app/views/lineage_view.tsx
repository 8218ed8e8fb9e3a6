import { useEffect, useState } from "preact/hooks";
import { type TabReport, textOf } from "../api/mod.ts";
import { type Lineage, lineageOf, look, offered } from "../state/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { BlobImage } from "./blob_image.tsx";

/** The images that an image goes back to, each a link where its receipt is known here. */
export function LineageView({ stored, report }: {
  readonly stored: StoredReceipt;
  readonly report: TabReport | undefined;
}) {
  const [lineage, setLineage] = useState<Lineage>();
  const others = offered.value;
  useEffect(() => {
    let isWanted = true;
    void lineageOf(stored, others).then((found) => isWanted && setLineage(found));
    return () => void (isWanted = false);
  }, [stored, others]);
  if (stored.receipt.request.parent === undefined || !lineage) return null;
  return (
    <>
      <h3>Where it comes from</h3>
      <p class="small">{parentText(stored, lineage, report)}</p>
      <ol class="lineage">
        {lineage.known.map((each) => <Ancestor key={each.id} {...each} />)}
        {lineage.unknown !== undefined && (
          <li class="small faint">
            A receipt that is not known here: <span class="mono">{lineage.unknown}</span>
          </li>
        )}
      </ol>
    </>
  );
}

function Ancestor(stored: StoredReceipt) {
  const { id, image, receipt: { request } } = stored;
  const { width, height } = request;
  return (
    <li>
      <button type="button" class="ancestor" onClick={() => void look(stored)}>
        {image && <BlobImage {...{ image, width, height }} label="" />}
        <span dir="auto">{textOf(request.prompt) || id.slice(0, 16)}</span>
      </button>
    </li>
  );
}

function parentText(
  { receipt: { request } }: StoredReceipt,
  { known }: Lineage,
  report: TabReport | undefined,
): string {
  const how = request.upscaler === undefined
    ? "the image of the receipt below"
    : `the image of the receipt below, made larger by ${upscalerName(request.upscaler)}`;
  const compared = report?.parent;
  if (compared?.image) {
    const { psnr, floor } = compared.image;
    const off = psnr === null
      ? "pixel for pixel"
      : `${psnr.toFixed(1)} dB, at least ${floor.toFixed(1)} needed`;
    return `It says that it started from ${how}. That was done again and compared: ${off}.`;
  }
  if (compared && request.upscaler === undefined) {
    return `It started from ${how}: the file is the same.`;
  }
  const why = known.length === 0
    ? "open that receipt to compare them"
    : "that is compared at level 3, with both images here";
  return `It says that it started from ${how}: ${why}.`;
}

function upscalerName(upscaler: unknown): string {
  return upscaler === "lanczos" ? "Lanczos" : "a network";
}
