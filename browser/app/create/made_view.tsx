import { useEffect, useRef, useState } from "preact/hooks";
import { look } from "../state/mod.ts";
import { removeFromGallery } from "./gallery.ts";
import { receiptOfImage, type StoredImage } from "../storage/mod.ts";
import { hashOf, textOf, timeOf } from "../api/mod.ts";
import { BlobDownload, BlobImage } from "../views/blob_image.tsx";
import { CopyLink } from "../views/copy_link.tsx";
import { Zoomable } from "../views/zoom.tsx";
import { EvidenceDownloads } from "../views/evidence_downloads.tsx";
import { startFrom } from "../views/source_field.tsx";
import { signedPicture } from "./signed_picture.ts";
import { enterOrder } from "./form_state.ts";
import { makingGateway } from "./gateway.ts";
import { making } from "./orders.ts";

/** One image of the gallery, and what can be done with it. */
export function MadeView({ of }: { readonly of: StoredImage }) {
  const { image, receipt: { request: { prompt, width, height } } } = of;
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    place.current?.focus({ preventScroll: true });
    place.current?.scrollIntoView({ block: "nearest" });
  }, [of.id]);
  return (
    <section class="made" ref={place} tabIndex={-1} aria-label="The image">
      <Zoomable label={textOf(prompt)}>
        <BlobImage {...{ image, width, height }} label={textOf(prompt)} />
      </Zoomable>
      <div>
        <p class="prompt" dir="auto">{textOf(prompt)}</p>
        <Facts of={of} />
        <Actions of={of} />
      </div>
    </section>
  );
}

function Facts({ of: { by, receipt: { request, steps, model, times } } }: {
  readonly of: StoredImage;
}) {
  return (
    <p class="small faint">
      Made {by === undefined ? "in this browser" : `by a miner, through ${new URL(by).host}`} by
      {" "}
      {textOf(model.id)}: {textOf(request.width)} x {textOf(request.height)}, {steps} steps, seed
      {" "}
      {textOf(request.seed)}; {timeOf(times.finished)}
    </p>
  );
}

function Actions({ of }: { readonly of: StoredImage }) {
  const name = `stepwise-${of.receipt.request.seed}`;
  const extension = of.receipt.image.mediaType.replace(/^image\//, "");
  return (
    <>
      <p class="row">
        <button type="button" class="main" onClick={() => void look(receiptOfImage(of))}>
          Check it
        </button>
        <button type="button" onClick={() => remix(of)}>Remix</button>
        <button type="button" onClick={() => void edit(of)}>Edit</button>
        <UpscaleButton of={of} />
        <BlobDownload blob={of.image} name={`${name}.${extension}`}>Download</BlobDownload>
        {of.link && <CopyLink to={hashOf(of.link)} />}
        <DeleteButton id={of.id} />
      </p>
      <EvidenceDownloads {...of} name={name} />
    </>
  );
}

/** Twice as wide and high, by who makes the next image. */
function UpscaleButton({ of }: { readonly of: StoredImage }) {
  return (
    <button
      type="button"
      title="Enlarges it twice and draws its details anew: a second receipt that names this one"
      aria-disabled={making.value && !makingGateway.value}
      onClick={async () => {
        const { upscale } = await import("./upscale.ts");
        await upscale(of);
      }}
    >
      Upscale
    </button>
  );
}

/** What goes on from it names its receipt. */
async function edit(of: StoredImage): Promise<void> {
  await startFrom(await signedPicture(of), of.id);
  document.querySelector("details.inputs")?.scrollIntoView();
}

function remix(of: StoredImage): void {
  enterOrder(of.order);
  document.querySelector<HTMLTextAreaElement>('textarea[name="prompt"]')?.focus();
}

/** Asks first. */
function DeleteButton({ id }: { readonly id: string }) {
  const [asked, setAsked] = useState(false);
  if (!asked) return <button type="button" onClick={() => setAsked(true)}>Delete</button>;
  return (
    <span class="row" role="group" aria-label="Delete it?">
      <button
        type="button"
        onClick={() => {
          location.hash = "#/create";
          void removeFromGallery(id);
        }}
      >
        Delete it for good
      </button>
      <button type="button" ref={(button) => button?.focus()} onClick={() => setAsked(false)}>
        Keep it
      </button>
    </span>
  );
}
