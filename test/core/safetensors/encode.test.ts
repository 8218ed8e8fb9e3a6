import { expect, test } from "vitest";
import { encodeSafetensors } from "../../../core/safetensors/mod.ts";

// Layout from the format's own description: u64 length, JSON header, data.
test("encodeSafetensors writes header and data as the format says", () => {
  const file = encodeSafetensors([
    { name: "x.0", dims: [1, 2], bits: Uint16Array.of(0x3c00, 0xc000) },
    { name: "d.0", dims: [1], bits: Uint16Array.of(0x0001) },
  ], { request: '{"prompt":"τ"}' });
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  expect(length % 8).toBe(0);
  expect(header).toEqual({
    __metadata__: { request: '{"prompt":"τ"}' },
    "x.0": { dtype: "F16", shape: [1, 2], data_offsets: [0, 4] },
    "d.0": { dtype: "F16", shape: [1], data_offsets: [4, 6] },
  });
  expect([...file.subarray(8 + length)]).toEqual([0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]);
});
