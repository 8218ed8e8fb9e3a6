import type { Readable, Writable } from "node:stream";
import type { ConnectionTransport } from "puppeteer";

/**
 * DevTools over a pair of pipes: JSON messages that end in a zero byte. Unlike its socket, the
 * pipes end with our process however that ends, and Chrome ends with its pipes.
 */
export function pipeTransport(write: Writable, read: Readable): ConnectionTransport {
  const pending: Uint8Array[] = [];
  const transport: ConnectionTransport = {
    send: (message) => void write.write(`${message}\0`),
    close: () => {
      write.destroy();
      read.destroy();
    },
  };
  read.on("data", (chunk: Uint8Array) => {
    let start = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, start)) {
      pending.push(chunk.subarray(start, end));
      transport.onmessage?.(text(pending.splice(0)));
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.slice(start));
  });
  read.on("close", () => transport.onclose?.());
  // A Chrome that has exited breaks its pipes; its exit says how it ended.
  for (const stream of [read, write]) stream.on("error", () => transport.onclose?.());
  return transport;
}

/** Decoded together: a character may lie across two chunks. */
function text(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
