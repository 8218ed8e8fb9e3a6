import { useLayoutEffect, useState } from "preact/hooks";

/** The address of a blob for as long as it is shown. */
function useBlobUrl(blob: Blob): string {
  const [url, setUrl] = useState("");
  // Before anything is painted: what is below does not move.
  useLayoutEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

/** An image whose place is kept until it is decoded. */
export function BlobImage({ image, label, width, height }: {
  readonly image: Blob;
  readonly label: string;
  readonly width: number;
  readonly height: number;
}) {
  const url = useBlobUrl(image);
  return url === "" ? null : <img src={url} alt={label} width={width} height={height} />;
}

/** A link that saves a blob as a file. */
export function BlobDownload({ blob, name, children }: {
  readonly blob: Blob;
  readonly name: string;
  readonly children: string;
}) {
  return <a class="button" href={useBlobUrl(blob)} download={name}>{children}</a>;
}
