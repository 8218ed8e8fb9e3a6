import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** A number that is chosen by sliding, and in words what it is now. */
export function Slide({ value, children, ...range }: {
  readonly value: Signal<number>;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly children: ComponentChildren;
}) {
  return (
    <label class="small slide">
      <span>{children}</span>
      <input
        type="range"
        {...range}
        value={value.value}
        onInput={(event) => value.value = Number(event.currentTarget.value)}
      />
    </label>
  );
}
