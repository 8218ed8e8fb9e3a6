/**
 * Hotkeys: SS58 addresses, sr25519 signatures, and a key that signs receipts.
 *
 * ```ts
 * import { decodeSs58, encodeSs58, openHotkey, verifySr25519 } from "./mod.ts";
 *
 * const { address, sign } = openHotkey("07".repeat(32));
 * const message = new TextEncoder().encode("a statement");
 * const publicKey = decodeSs58(address);
 * console.assert(encodeSs58(publicKey) === address);
 * console.assert(verifySr25519(message, await sign(message), publicKey));
 * ```
 */
export { type Hotkey, openHotkey } from "./hotkey.ts";
export { type Signer, verifySr25519 } from "./sr25519.ts";
export { decodeSs58, encodeSs58, isSs58 } from "./ss58.ts";
