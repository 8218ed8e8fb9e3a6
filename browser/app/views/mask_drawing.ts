/** A line that was painted; points and width are shares of the picture's width. */
export interface Stroke {
  readonly points: readonly Point[];
  readonly width: number;
}

export type Point = readonly [x: number, y: number];

/** What was painted on a picture. */
export interface MaskDrawing {
  readonly strokes: readonly Stroke[];
  /** All but what was painted. */
  readonly inverted: boolean;
}

export const NOTHING_PAINTED: MaskDrawing = { strokes: [], inverted: false };

/** Whether it says of no place that it is to be drawn anew. */
export function isBlank({ strokes, inverted }: MaskDrawing): boolean {
  return strokes.length === 0 && !inverted;
}

/** The same with one line more. */
export function withStroke(drawing: MaskDrawing, stroke: Stroke): MaskDrawing {
  return { ...drawing, strokes: [...drawing.strokes, stroke] };
}

/** The same, its last line drawn on. */
export function extended(drawing: MaskDrawing, points: readonly Point[]): MaskDrawing {
  const last = drawing.strokes.at(-1);
  if (!last) return drawing;
  const longer = { ...last, points: [...last.points, ...points] };
  return { ...drawing, strokes: [...drawing.strokes.slice(0, -1), longer] };
}

type Context = CanvasRenderingContext2D;

/** Over a picture: a colour where it is drawn anew, nothing elsewhere. */
export function drawOverlay(
  context: Context,
  { strokes, inverted }: MaskDrawing,
  colour: string,
): void {
  const { width, height } = context.canvas;
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour;
  if (inverted) context.fillRect(0, 0, width, height);
  context.globalCompositeOperation = inverted ? "destination-out" : "source-over";
  drawStrokes(context, strokes, colour);
  context.globalCompositeOperation = "source-over";
}

/** Where the keyboard paints next. @param width of the brush, as a share of the picture's. */
export function drawCursor(context: Context, [x, y]: Point, width: number): void {
  const unit = context.canvas.width;
  for (const [colour, line] of [["black", 6], ["white", 3]] as const) {
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1, line * unit / 512);
    context.beginPath();
    context.arc(x * unit, y * unit, width * unit / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** The mask as a file of the picture's size: white is drawn anew, black is kept. */
export async function maskFile(
  { strokes, inverted }: MaskDrawing,
  size: { readonly width: number; readonly height: number },
): Promise<Blob> {
  const canvas = Object.assign(document.createElement("canvas"), size);
  const context = canvas.getContext("2d");
  if (!context) throw noRoom();
  const [ground, paint] = inverted ? ["white", "black"] : ["black", "white"];
  context.fillStyle = ground;
  context.fillRect(0, 0, size.width, size.height);
  drawStrokes(context, strokes, paint);
  const file = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!file) throw noRoom();
  return file;
}

function noRoom(): Error {
  return new Error("Cannot draw the mask: this browser has no room for it.");
}

function drawStrokes(context: Context, strokes: readonly Stroke[], colour: string): void {
  const unit = context.canvas.width;
  context.strokeStyle = colour;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const { points, width } of strokes) {
    const [[x, y], ...more] = points;
    context.lineWidth = width * unit;
    context.beginPath();
    context.moveTo(x * unit, y * unit);
    // A line to where it began is a dot.
    for (const [toX, toY] of more.length > 0 ? more : points) {
      context.lineTo(toX * unit, toY * unit);
    }
    context.stroke();
  }
}
