import { gallery } from "./gallery.ts";
import type { StoredImage } from "../storage/mod.ts";
import { textOf } from "../api/mod.ts";
import { BlobImage } from "../views/blob_image.tsx";

/** The address of an image of the gallery. */
function addressOfImage(id: string): string {
  return `#/create?image=${id}`;
}

/** What was made, the newest first. */
export function GalleryView({ chosen }: { readonly chosen: string | undefined }) {
  const images = gallery.value ?? [];
  return (
    <ul class="gallery" aria-label="Images">
      {images.map((image) => (
        <li key={image.id}>
          <Thumbnail of={image} chosen={image.id === chosen} />
        </li>
      ))}
    </ul>
  );
}

function Thumbnail({ of, chosen }: { readonly of: StoredImage; readonly chosen: boolean }) {
  const { id, image, receipt: { request: { prompt, width, height } } } = of;
  return (
    <a class="tile" href={addressOfImage(id)} aria-current={chosen || undefined}>
      <BlobImage {...{ image, width, height }} label={textOf(prompt)} />
    </a>
  );
}
