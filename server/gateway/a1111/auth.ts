import type { Keys } from "../keys/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { A1111Error } from "./errors.ts";

/**
 * The key of a header `authorization`: the password of HTTP's Basic scheme, whatever the name, or a bearer.
 * @throws A1111Error 401.
 */
export function keyOf(
  authorization: string | undefined,
  keys: Pick<Keys, "find">,
): ApiKey {
  const text = passwordOf(authorization ?? "");
  const key = text === undefined ? undefined : keys.find(text);
  if (key) return key;
  throw new A1111Error(
    401,
    text === undefined ? "Not authenticated" : "Incorrect username or password",
  );
}

function passwordOf(authorization: string): string | undefined {
  const bearer = /^Bearer +(\S{1,200})$/i.exec(authorization);
  if (bearer) return bearer[1];
  const basic = /^Basic +([A-Za-z0-9+/=_-]{1,600})$/i.exec(authorization);
  if (!basic) return undefined;
  try {
    const decoded = new TextDecoder().decode(Uint8Array.fromBase64(basic[1]));
    return decoded.slice(decoded.indexOf(":") + 1);
  } catch {
    return undefined;
  }
}
