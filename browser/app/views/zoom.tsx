import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Shown {
  readonly label: string;
  readonly content: ComponentChildren;
}

const shown = signal<Shown | undefined>(undefined);

/** A picture that a click or the keyboard shows as large as the screen takes. */
export function Zoomable(
  { label, children }: { readonly label: string; readonly children: ComponentChildren },
) {
  return (
    <button
      type="button"
      class="zoom"
      title="Show it large"
      aria-label={`Show large: ${label}`}
      onClick={() => shown.value = { label, content: children }}
    >
      {children}
    </button>
  );
}

/** Where it is shown. Escape, or a click anywhere, closes it. */
export function ZoomDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const picture = shown.value;
  useEffect(() => {
    if (picture) dialog.current?.showModal();
  }, [picture]);
  return (
    <dialog
      ref={dialog}
      class="large"
      aria-label={picture?.label}
      onClose={() => shown.value = undefined}
      onClick={() => dialog.current?.close()}
    >
      {picture && (
        <figure>
          {picture.content}
          <figcaption class="small">{picture.label}</figcaption>
          <button type="button">Close</button>
        </figure>
      )}
    </dialog>
  );
}
