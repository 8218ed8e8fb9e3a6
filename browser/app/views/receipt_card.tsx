import { counted } from "../../../core/counted.ts";
import { type ComponentChildren, Fragment } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { arrived } from "../state/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { textOf, timeOf } from "../api/mod.ts";
import { BlobImage } from "./blob_image.tsx";
import { CopyNotice } from "./copy_notice.tsx";
import { Zoomable } from "./zoom.tsx";

const IMAGE = "The image that the receipt is of";

/** The image, and beside it what is known of it. Everything in a receipt is untrusted, and shown as text. */
export function ReceiptCard({ stored, children }: {
  readonly stored: StoredReceipt;
  readonly children: ComponentChildren;
}) {
  const { receipt: { request }, image, id } = stored;
  const place = useArrival();
  return (
    <section class="card" ref={place} tabIndex={-1} aria-label="The receipt" data-receipt={id}>
      <div>
        {image
          ? (
            <Zoomable label={IMAGE}>
              <BlobImage
                {...{ image, width: request.width, height: request.height }}
                label={IMAGE}
              />
            </Zoomable>
          )
          : <p class="faint blank">The image is missing.</p>}
        <CopyNotice of={stored} />
        <p class="prompt small" dir="auto">{textOf(request.prompt)}</p>
      </div>
      <div class="found">{children}</div>
    </section>
  );
}

/** What the miner signed, in words. */
export function ReceiptFacts(
  { stored: { receipt, id, link } }: { readonly stored: StoredReceipt },
) {
  const { request, model } = receipt;
  const variant = model.variant === undefined ? "" : ` (${model.variant})`;
  const rows: readonly (readonly [string, unknown])[] = [
    ["Prompt", request.prompt],
    ["Negative", request.negativePrompt],
    ["Size", `${request.width} x ${request.height}, ${counted(receipt.steps, "step")}`],
    ["From an image", startOf(receipt)],
    ["Seed", request.seed],
    ["Guidance", request.guidanceScale],
    ["Scheduler", typeof request.scheduler === "string" ? request.scheduler : "the model's own"],
    ["Model", `${model.id}${variant}, ${model.precision}`],
    ["Made by", receipt.miner],
    ["For", receipt.validator],
    ["When", timeOf(receipt.times.finished)],
    ["Merkle root", receipt.root],
    ["Receipt", id],
    ["Opened by", link?.miner],
  ];
  return (
    <dl>
      {rows.map(([name, value]) => [name, textOf(value)] as const)
        .filter(([, text]) => text !== "")
        .map(([name, text]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd class={/root|Receipt|Made|For/.test(name) ? "mono" : ""} dir="auto">{text}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

/** How much of an image was drawn anew, and where. */
function startOf({ request: { image, mask, strength } }: StoredReceipt["receipt"]): string {
  if (image === undefined) return "";
  const where = mask === undefined ? "" : ", where the mask is white";
  return `${Math.round(100 * Number(strength))} % drawn anew${where}`;
}

/** Scrolls to a receipt that the reader asked for, wherever on the page. */
function useArrival() {
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!arrived.value) return;
    arrived.value = false;
    place.current?.focus({ preventScroll: true });
    place.current?.scrollIntoView();
  }, [arrived.value]);
  return place;
}
