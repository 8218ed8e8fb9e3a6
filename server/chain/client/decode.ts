import { counted } from "../../../core/counted.ts";
import type { ApiPromise } from "@polkadot/api";
import type { Codec, Registry } from "@polkadot/types/types";
import { hexToU8a, isHex } from "@polkadot/util";
import { AppError } from "../../../core/error.ts";

/**
 * SCALE of which nothing is missing and nothing is left over: polkadot takes bytes that are cut
 * short for zeros.
 * @throws TypeError for anything else.
 */
export function decodeWhole(registry: Registry, type: string, answer: unknown): Codec {
  if (!isHex(answer)) throw new TypeError(`${JSON.stringify(answer)} is no hexadecimal`);
  const bytes = hexToU8a(answer);
  const value = registry.createType(type, bytes);
  if (value.encodedLength === bytes.length) return value;
  throw new TypeError(`it has ${counted(value.encodedLength, "byte")}, and ${bytes.length} came`);
}

/** @throws AppError `chain_invalid` naming what the runtime lacks. */
export function storageItem(
  query: ApiPromise["query"],
  pallet: string,
  item: string,
  doing: string,
): ApiPromise["query"][string][string] {
  const entry = query[pallet]?.[item];
  if (entry) return entry;
  throw new AppError(
    "chain_invalid",
    `Cannot ${doing}: the chain's runtime has no storage ${pallet}.${item}; it is older or newer ` +
      "than this client",
  );
}
