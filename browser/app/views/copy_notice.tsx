import { copy } from "../state/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";
import { BlobImage } from "./blob_image.tsx";

/** Pixels a side. */
const SHOWN = 72;

/** That a receipt was found by what the reader's file looks like, so that it can be compared by eye. */
export function CopyNotice({ of: { id, image } }: { readonly of: StoredReceipt }) {
  const own = copy.value;
  if (own?.id !== id) return null;
  return (
    <div class="copy small">
      <BlobImage image={own.image} label="Your file" width={SHOWN} height={SHOWN} />
      <p>
        Found by its looks: your file is a copy, scaled or saved anew. What is checked is the image
        as its maker signed it{image ? "; compare the two." : ", which its miner no longer has."}
      </p>
    </div>
  );
}
