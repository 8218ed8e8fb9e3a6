import { useEffect, useState } from "preact/hooks";
import type { StoredReceipt } from "../storage/mod.ts";

/** What the miner signed, in words. Everything in it is a stranger's text, and shown as text. */
export function ReceiptCard({ stored }: { readonly stored: StoredReceipt }) {
  const { receipt, image, id, link } = stored;
  const { request } = receipt;
  const rows: readonly (readonly [string, unknown])[] = [
    ["Prompt", request.prompt],
    ["Negative", request.negativePrompt],
    ["Size", `${request.width} x ${request.height}, ${receipt.steps} steps`],
    ["Seed", request.seed],
    ["Guidance", request.guidanceScale],
    ["Scheduler", typeof request.scheduler === "string" ? request.scheduler : "the model's own"],
    ["Model", `${receipt.model.id}, ${receipt.model.precision}`],
    ["Made by", receipt.miner],
    ["For", receipt.validator],
    [
      "When",
      new Date(receipt.times.finished).toISOString().replace("T", " ").slice(0, 19) + " UTC",
    ],
    ["Merkle root", receipt.root],
    ["Receipt", id],
    ["Opened by", link?.miner],
  ];
  return (
    <section class="card">
      <div>
        {image ? <ReceiptImage image={image} /> : <p class="faint">The image is not at hand.</p>}
      </div>
      <dl>
        {rows.filter(([, value]) => value !== undefined && value !== "").map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd class={/root|Receipt|Made|For/.test(name) ? "mono" : ""}>{String(value)}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function ReceiptImage({ image }: { readonly image: Blob }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(image);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [image]);
  return url === "" ? null : <img src={url} alt="The image that the receipt is of" />;
}
