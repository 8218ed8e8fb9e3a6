import { Struct, TypeRegistry, u16, u64, u8, Vec } from "@polkadot/types";
import { AppError } from "../../../core/error.ts";

/** What a validator commits to: nobody else can hand it in, since it names the hotkey. */
export interface WeightsPayload {
  /** 32 bytes. */
  readonly hotkey: Uint8Array;
  readonly uids: readonly number[];
  readonly values: readonly number[];
  readonly versionKey: bigint;
}

const registry = new TypeRegistry();

/** The runtime's `WeightsTlockPayload`, in its order. */
class Payload extends Struct {
  constructor(value?: unknown) {
    const fields = {
      hotkey: Vec.with(u8),
      uids: Vec.with(u16),
      values: Vec.with(u16),
      version_key: u64,
    };
    super(registry, fields, value as Uint8Array);
  }
}

export function encodeWeights({ hotkey, uids, values, versionKey }: WeightsPayload): Uint8Array {
  return new Payload({ hotkey: [...hotkey], uids, values, version_key: versionKey }).toU8a();
}

/** @throws AppError `commit_invalid` when the bytes are no payload. */
export function decodeWeights(bytes: Uint8Array): WeightsPayload {
  try {
    const payload = new Payload(bytes);
    if (payload.encodedLength !== bytes.length) throw new Error("bytes are left");
    const numbers = (field: string) =>
      (payload.get(field) as Vec<u16>).toArray().map((value) => value.toNumber());
    return {
      hotkey: Uint8Array.from(numbers("hotkey")),
      uids: numbers("uids"),
      values: numbers("values"),
      versionKey: (payload.get("version_key") as u64).toBigInt(),
    };
  } catch (cause) {
    throw new AppError("commit_invalid", "Cannot read the weights: they are no payload", { cause });
  }
}
