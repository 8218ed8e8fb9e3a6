import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** Evidence that is unfolded by who wants it; what is folded away costs nothing. */
export function Evidence({ title, children }: {
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  const [open, setOpen] = useState(false);
  return (
    <section class="evidence">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <h2>{title}</h2>
        </summary>
        {open && <div>{children}</div>}
      </details>
    </section>
  );
}
