import { AppError } from "../../core/error.ts";

/** rao of one TAO. */
const TAO = 10n ** 9n;

/**
 * rao of an amount of TAO, exactly.
 * @param of the flag or argument, for errors.
 * @throws AppError `invalid_request` naming it.
 */
export function parseTao(text: string, of: string): bigint {
  const [, whole, part = ""] = /^(\d{1,8})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole !== undefined) return BigInt(whole) * TAO + BigInt(part.padEnd(9, "0"));
  throw new AppError(
    "invalid_request",
    `Cannot read ${of}: ${JSON.stringify(text)} is no amount of TAO, such as 12.5`,
  );
}

/** As many decimals as are needed: 1.5, 0.000000001, 12. */
export function formatTao(rao: bigint): string {
  const size = rao < 0n ? -rao : rao;
  const part = String(size % TAO).padStart(9, "0").replace(/0+$/, "");
  return `${rao < 0n ? "-" : ""}${size / TAO}${part && `.${part}`}`;
}
