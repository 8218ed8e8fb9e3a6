/** A segment of a JPEG's header. */
export interface HeaderSegment {
  readonly marker: number;
  /** Where its body begins, behind marker and length. */
  readonly at: number;
}

/**
 * The segments before the first scan. Markers are found as a decoder finds them, also behind fill bytes;
 * it ends at what has no length (restart markers, a second start, an end), which is in no honest header.
 * @throws RangeError where the file is cut short.
 */
export function* jpegHeader(view: DataView): Generator<HeaderSegment> {
  if (view.getUint16(0) !== 0xffd8) return;
  for (let at = 2; view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    while (view.getUint8(at + 1) === 0xff) at++;
    const marker = view.getUint8(at + 1);
    if (marker < 0xc0 || marker >= 0xd0 && marker <= 0xda) return;
    yield { marker, at: at + 4 };
  }
}

/** The first frame header: markers C0 to CF but for C4, C8 and CC. */
export function jpegFrame(view: DataView): HeaderSegment | undefined {
  for (const segment of jpegHeader(view)) {
    const { marker } = segment;
    if (marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) return segment;
  }
  return undefined;
}
