import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** A place where files are chosen, or dropped. */
export function FileField({ label, accept, multiple = false, onFiles, children }: {
  readonly label: string;
  readonly accept: string;
  readonly multiple?: boolean;
  readonly onFiles: (files: readonly File[]) => void;
  readonly children?: ComponentChildren;
}) {
  const [over, setOver] = useState(false);
  const take = (files: Iterable<File>) => {
    const all = [...files];
    if (all.length > 0) onFiles(multiple ? all : all.slice(0, 1));
  };
  return (
    <div
      class="files"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        // A room around it opens what is dropped there.
        event.stopPropagation();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        take(event.dataTransfer?.files ?? []);
      }}
    >
      <label class="pick">
        <span class="button">{label}</span>
        <span class="small faint">
          {multiple ? "or drop them here" : "or drop it here"}
        </span>
        <input
          type="file"
          {...{ accept, multiple }}
          onChange={({ currentTarget }) => {
            take(currentTarget.files ?? []);
            // The same file may be chosen again.
            currentTarget.value = "";
          }}
        />
      </label>
      {children}
    </div>
  );
}
