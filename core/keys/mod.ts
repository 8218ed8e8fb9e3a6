export { type Hotkey, openHotkey } from "./hotkey.ts";
export { type Signer, verifySr25519 } from "./sr25519.ts";
export { decodeSs58, encodeSs58, isSs58 } from "./ss58.ts";
