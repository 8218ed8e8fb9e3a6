import { useEffect, useState } from "preact/hooks";

/** The address of a blob for as long as it is shown. */
function useBlobUrl(blob: Blob): string {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}

export function BlobImage({ image, label }: { readonly image: Blob; readonly label: string }) {
  const url = useBlobUrl(image);
  return url === "" ? null : <img src={url} alt={label} />;
}

/** A link that saves a blob as a file. */
export function BlobDownload({ blob, name, children }: {
  readonly blob: Blob;
  readonly name: string;
  readonly children: string;
}) {
  return <a class="button" href={useBlobUrl(blob)} download={name}>{children}</a>;
}
