import { expect, test } from "vitest";
import { ProtobufWriter } from "../../../core/onnx/protobuf_writer.ts";

function written(write: (out: ProtobufWriter) => void): number[] {
  const out = new ProtobufWriter();
  write(out);
  return [...out.finish()];
}

test("fields are the bytes of protobuf's own page on its encoding", () => {
  // https://protobuf.dev/programming-guides/encoding/: 150, "testing", a message of 150, and -2.
  expect(written((out) => out.varint(1, 150))).toEqual([0x08, 0x96, 0x01]);
  expect(written((out) => out.text(2, "testing"))).toEqual(
    [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67],
  );
  expect(written((out) => out.message(3, () => out.varint(1, 150)))).toEqual(
    [0x1a, 0x03, 0x08, 0x96, 0x01],
  );
  expect(written((out) => out.varint(1, -2))).toEqual(
    [0x08, 0xfe, ...Array(8).fill(0xff), 0x01],
  );
});

// 127 is the last length in one byte, 16,383 the last in two; the buffer grows at 65,536.
test.each([
  { text: 125, inner: [0x7d], outer: [0x7f] },
  { text: 126, inner: [0x7e], outer: [0x80, 0x01] },
  { text: 16_380, inner: [0xfc, 0x7f], outer: [0xff, 0x7f] },
  { text: 16_381, inner: [0xfd, 0x7f], outer: [0x80, 0x80, 0x01] },
  { text: 70_000, inner: [0xf0, 0xa2, 0x04], outer: [0xf4, 0xa2, 0x04] },
])("a message with $text characters has its length before it", ({ text, inner, outer }) => {
  const bytes = written((out) => {
    out.message(1, () => out.text(2, "a".repeat(text)));
    out.varint(3, 7);
  });
  const head = [0x0a, ...outer, 0x12, ...inner];
  expect(bytes.slice(0, head.length)).toEqual(head);
  expect(bytes.slice(head.length, -2).filter((byte) => byte === 0x61)).toHaveLength(text);
  expect(bytes.slice(head.length + text)).toEqual([0x18, 7]);
});

test("text beyond ASCII is UTF-8", () => {
  expect(written((out) => out.text(1, "\u03c4\u{1f600}"))).toEqual(
    [0x0a, 6, 0xcf, 0x84, 0xf0, 0x9f, 0x98, 0x80],
  );
});
