import { Fragment } from "preact";
import type { StoredReceipt } from "../storage/mod.ts";
import { textOf, timeOf } from "../words.ts";
import { BlobImage } from "./blob_image.tsx";

/** What the miner signed, in words. Everything in it is a stranger's text, and shown as text. */
export function ReceiptCard({ stored }: { readonly stored: StoredReceipt }) {
  const { receipt, image, id, link } = stored;
  const { request, model } = receipt;
  const variant = model.variant === undefined ? "" : ` (${model.variant})`;
  const rows: readonly (readonly [string, unknown])[] = [
    ["Prompt", request.prompt],
    ["Negative", request.negativePrompt],
    ["Size", `${request.width} x ${request.height}, ${receipt.steps} steps`],
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
    <section class="card">
      <div>
        {image
          ? (
            <BlobImage
              {...{ image, width: request.width, height: request.height }}
              label="The image that the receipt is of"
            />
          )
          : <p class="faint">The image is not at hand.</p>}
      </div>
      <dl>
        {rows.map(([name, value]) => [name, textOf(value)] as const)
          .filter(([, text]) => text !== "")
          .map(([name, text]) => (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd class={/root|Receipt|Made|For/.test(name) ? "mono" : ""}>{text}</dd>
            </Fragment>
          ))}
      </dl>
    </section>
  );
}
