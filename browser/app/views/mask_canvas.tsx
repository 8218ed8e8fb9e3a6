import { signal } from "@preact/signals";
import type { TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { BlobImage } from "./blob_image.tsx";
import {
  drawCursor,
  drawOverlay,
  extended,
  isBlank,
  type MaskDrawing,
  NOTHING_PAINTED,
  type Point,
  withStroke,
} from "./mask_drawing.ts";
import { Slide } from "./slide.tsx";

type History = readonly [MaskDrawing, ...MaskDrawing[]];

export const NO_MASK: History = [NOTHING_PAINTED];
/** The mask as it is, and before that as it was: each can be gone back to. */
export const maskHistory = signal<History>(NO_MASK);
/** In percent of the picture's width. */
const brush = signal(12);
/** Where the keyboard paints, while the canvas has its focus. */
const cursor = signal<Point | undefined>(undefined);

/** Pixels of the canvas that is painted on, at most: a finger is no finer. */
const MAX_CANVAS = 1024;
const PAINT = "rgb(224 33 138)";

function current(): MaskDrawing {
  return maskHistory.value[maskHistory.value.length - 1];
}

function push(drawing: MaskDrawing): void {
  maskHistory.value = [...maskHistory.value, drawing] as unknown as History;
}

function replace(drawing: MaskDrawing): void {
  maskHistory.value = [...maskHistory.value.slice(0, -1), drawing] as unknown as History;
}

/** A picture that is painted on by mouse, finger, pen or keys. */
export function MaskCanvas({ image, width, height }: {
  readonly image: Blob;
  readonly width: number;
  readonly height: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = Math.min(1, MAX_CANVAS / Math.max(width, height));
  const [drawing, at, size] = [current(), cursor.value, brush.value];
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    drawOverlay(context, drawing, PAINT);
    if (at) drawCursor(context, at, size / 100);
  }, [drawing, at, size, image]);
  return (
    <div class="paint">
      <BlobImage {...{ image, width, height }} label="The image to start from" />
      <canvas
        ref={canvas}
        width={Math.max(1, Math.round(width * scale))}
        height={Math.max(1, Math.round(height * scale))}
        tabIndex={0}
        role="application"
        aria-label="Paint what is to be drawn anew. Arrow keys move the brush, space paints, with shift the arrows draw a line."
        onPointerDown={begin}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) goOn(event);
        }}
        onKeyDown={(event) => paintByKey(event, height / width)}
        onFocus={({ currentTarget }) => {
          if (currentTarget.matches(":focus-visible")) cursor.value = [0.5, 0.5 * height / width];
        }}
        onBlur={() => cursor.value = undefined}
      />
    </div>
  );
}

type PaintEvent = TargetedPointerEvent<HTMLCanvasElement>;

function begin(event: PaintEvent): void {
  if (event.button !== 0) return;
  event.currentTarget.setPointerCapture(event.pointerId);
  push(withStroke(current(), { points: [pointOf(event, event)], width: brush.value / 100 }));
}

function goOn(event: PaintEvent): void {
  // A quick hand moves several times before a picture is shown.
  const moves = event.getCoalescedEvents?.() ?? [];
  const points = (moves.length > 0 ? moves : [event]).map((move) => pointOf(event, move));
  replace(extended(current(), points));
}

function pointOf(
  { currentTarget }: PaintEvent,
  { clientX, clientY }: Pick<PointerEvent, "clientX" | "clientY">,
): Point {
  const { left, top, width } = currentTarget.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / width];
}

const ARROWS: Readonly<Record<string, Point>> = {
  ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
};

/** @param bottom of the picture, as a share of its width. */
function paintByKey(event: TargetedKeyboardEvent<HTMLCanvasElement>, bottom: number): void {
  const from = cursor.value ?? [0.5, bottom / 2];
  const [dx, dy] = ARROWS[event.key] ?? [0, 0];
  const isArrow = event.key in ARROWS;
  if (!isArrow && event.key !== " ") return;
  event.preventDefault();
  const width = brush.value / 100;
  const to: Point = [
    Math.min(Math.max(from[0] + dx * width / 2, 0), 1),
    Math.min(Math.max(from[1] + dy * width / 2, 0), bottom),
  ];
  cursor.value = to;
  if (event.shiftKey || !isArrow) push(withStroke(current(), { points: [from, to], width }));
}

/** @param onRemove of the image, with what was painted on it. */
export function MaskTools({ onRemove }: { readonly onRemove: () => void }) {
  const { inverted } = current();
  const blank = isBlank(current());
  return (
    <>
      <p class="small faint">
        {blank
          ? "All of it is drawn anew. Paint on it, and only what you paint is."
          : "What is coloured is drawn anew, the rest is kept."}
      </p>
      <Slide value={brush} min={2} max={40}>Brush {brush.value} % of the width</Slide>
      <p class="row tools">
        <button
          type="button"
          disabled={maskHistory.value.length < 2}
          onClick={() => maskHistory.value = maskHistory.value.slice(0, -1) as unknown as History}
        >
          Undo
        </button>
        <button
          type="button"
          aria-pressed={inverted}
          onClick={() => push({ ...current(), inverted: !inverted })}
        >
          Invert
        </button>
        <button type="button" disabled={blank} onClick={() => push(NOTHING_PAINTED)}>Clear</button>
        <button type="button" onClick={onRemove}>Remove the image</button>
      </p>
    </>
  );
}
