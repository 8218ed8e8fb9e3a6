/** A file holds something else than one opaque image of 8 bits a channel, and nothing beside it. */
export class NotCanonical extends Error {}

export function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.length);
}
