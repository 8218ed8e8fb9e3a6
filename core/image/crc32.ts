/** Bytes to what they change in a register, by the polynomial of ISO 3309 turned round. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ rest >>> 1 : rest >>> 1;
  return rest;
});

/** The checksum of PNG's chunks. @see https://www.w3.org/TR/png-3/#D-CRCAppendix */
export function crc32(bytes: Uint8Array): number {
  let register = 0xffffffff;
  for (let k = 0; k < bytes.length; k++) {
    register = TABLE[(register ^ bytes[k]) & 255] ^ register >>> 8;
  }
  return ~register >>> 0;
}
