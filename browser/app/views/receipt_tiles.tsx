import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { Receipt } from "../../../core/transcript/mod.ts";
import { type OfferedReceipt, textOf } from "../api/mod.ts";
import {
  answered,
  engine,
  kept,
  look,
  offered,
  openLink,
  subject,
  verdicts,
} from "../state/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { BlobImage } from "./blob_image.tsx";
import { Boundary } from "./boundary.tsx";
import { verdictWords } from "./verdict_words.ts";

/** Images that are fetched to be shown small, of a list. */
const MOST_FETCHED = 12;
/** By the receipt's id; undefined where its miner did not give it. */
const fetched = signal<ReadonlyMap<string, Blob | undefined>>(new Map());

interface TileProps {
  readonly id: string;
  readonly receipt: Receipt;
  readonly image: Blob | undefined;
  readonly said: string;
  readonly onOpen: () => void;
}

/** What a server offers to be checked. */
export function OfferedView() {
  if (offered.value.length === 0) return null;
  return (
    <section class="offered">
      <h2>Offered to be checked</h2>
      <ReceiptTiles of={offered.value} />
    </section>
  );
}

/** Receipts of a list, each as its image, which leads to its check. */
export function ReceiptTiles({ of }: { readonly of: readonly OfferedReceipt[] }) {
  useEffect(() => void fetchImages(of.slice(0, MOST_FETCHED)), [of]);
  return (
    <ul class="gallery">
      {of.map(({ receipt, link }) => (
        <Boundary key={link.id} what="the receipt">
          <Tile
            id={link.id}
            receipt={receipt}
            image={fetched.value.get(link.id)}
            said={textOf(receipt.model.id)}
            onOpen={() => void openLink(link)}
          />
        </Boundary>
      ))}
    </ul>
  );
}

/** One after the other, as a reader looks at them. */
async function fetchImages(of: readonly OfferedReceipt[]): Promise<void> {
  for (const { link } of of) {
    if (fetched.value.has(link.id)) continue;
    const image = await answered(engine.fetchReceipt(link)).then((found) => found.image)
      .catch(() => undefined);
    fetched.value = new Map([...fetched.value, [link.id, image]]);
  }
}

/** What was opened on this machine before. */
export function KeptView() {
  return (
    <section class="kept">
      <h2>On this machine</h2>
      {kept.value?.length === 0 && (
        <p class="faint">
          Nothing has been opened here yet. A receipt is what a miner signs for an image:{" "}
          <a href="#/create">make one in this tab</a>, and check its steps.
        </p>
      )}
      <ul class="gallery">
        {kept.value?.map((stored) => (
          <Boundary key={stored.id} what="the receipt">
            <KeptTile {...stored} />
          </Boundary>
        ))}
      </ul>
    </section>
  );
}

function KeptTile(stored: StoredReceipt) {
  const known = verdicts.value.get(stored.id);
  return (
    <Tile
      {...{ id: stored.id, receipt: stored.receipt, image: stored.image }}
      said={known ? verdictWords(known).title : "not checked"}
      onOpen={() => void look(stored)}
    />
  );
}

/** Its picture, the beginning of its prompt, and what is known of it. */
function Tile({ id, receipt: { request }, image, said, onOpen }: TileProps) {
  const { width, height } = request;
  return (
    <li data-receipt={id}>
      <button
        type="button"
        class="receipt"
        aria-current={subject.value?.id === id || undefined}
        onClick={onOpen}
      >
        <span class="tile">
          {image ? <BlobImage {...{ image, width, height }} label="" /> : <span class="empty" />}
        </span>
        <span class="prompt small" dir="auto">{textOf(request.prompt)}</span>
        <span class="small faint">{said}</span>
      </button>
    </li>
  );
}
