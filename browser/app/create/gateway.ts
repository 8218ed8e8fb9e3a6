import { computed, effect, signal } from "@preact/signals";
import { checkMinerUrl, type GatewayAccess, type KeyFacts } from "../api/mod.ts";
import { answered, engine, forgotten } from "../state/mod.ts";
import { clearKey, keepKey, keptKey } from "../storage/mod.ts";

/** The validator whose miners make images for this user; undefined before there is a key. */
export const gateway = signal<GatewayAccess | undefined>(keptAccess());
/** What the validator says of the key, once it was asked. */
export const keyFacts = signal<KeyFacts | undefined>(undefined);
/** Who is to make the next image. */
export const maker = signal<"browser" | "miners">(gateway.value ? "miners" : "browser");
/** The validator that makes the next image; undefined for this browser. */
export const makingGateway = computed(() => maker.value === "miners" ? gateway.value : undefined);

function keptAccess(): GatewayAccess | undefined {
  const { url, key } = Object(keptKey());
  if (typeof url !== "string" || typeof key !== "string") return undefined;
  try {
    return { url: checkMinerUrl(url, location.href), key };
  } catch {
    // The page has moved to where it may not ask it.
    return undefined;
  }
}

/** Keeps a key that its validator knows. @throws Error in the validator's words where it does not. */
export async function connect(url: string, key: string): Promise<void> {
  const access = { url: checkMinerUrl(url, location.href), key: key.trim() };
  keyFacts.value = await answered(engine.readKey(access));
  gateway.value = access;
  maker.value = "miners";
  keepKey(access);
}

/** What the key has left today may have changed. */
export async function refreshKey(): Promise<void> {
  if (!gateway.value) return;
  keyFacts.value = await answered(engine.readKey(gateway.value)).catch(() => keyFacts.value);
}

export function forgetKey(): void {
  [gateway.value, keyFacts.value] = [undefined, undefined];
  maker.value = "browser";
  clearKey();
}

// After everything was cleared.
effect(() => void (forgotten.value > 0 && forgetKey()));
