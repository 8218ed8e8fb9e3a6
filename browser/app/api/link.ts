import { parseJsonText } from "../../../core/json_text.ts";
import { AppError } from "../../../core/error.ts";
import { PATHS, routeAt } from "../../../core/protocol/mod.ts";
import { MAX_RECEIPT_BYTES, type Receipt, receiptFromJson } from "../../../core/transcript/mod.ts";
import { checkMinerUrl } from "./miner_url.ts";
import type { ReceiptLink } from "./api.ts";

/** What was pasted, dropped or opened. */
export type Opened =
  | { readonly kind: "link"; readonly link: ReceiptLink }
  | { readonly kind: "receipt"; readonly receipt: Receipt }
  /** The address of a validator or miner, whose list is asked for. */
  | { readonly kind: "list"; readonly url: string };

const ID = /^[0-9a-f]{64}$/;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * @param page the page's own address.
 * @throws AppError `invalid_request` or `receipt_invalid` in words for the reader.
 */
export function openText(text: string, page: string): Opened {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return { kind: "receipt", receipt: receiptOf(trimmed) };
  if (!URL.canParse(trimmed)) {
    throw new AppError(
      "invalid_request",
      "Cannot open this: it is no receipt, no link to one, and no address of a validator or miner",
    );
  }
  const url = new URL(trimmed);
  const link = linkOf(new URLSearchParams(url.hash.replace(/^#\/?(check|verify)?\??/, "")), page) ??
    linkOfMiner(url, page);
  return link ? { kind: "link", link } : { kind: "list", url: checkMinerUrl(trimmed, page) };
}

/** Of this page's own address: `#/verify?miner=...&id=...&token=...`, and `validator` if known. */
export function linkOf(parameters: URLSearchParams, page: string): ReceiptLink | undefined {
  const [miner, id, token, validator] = ["miner", "id", "token", "validator"]
    .map((name) => parameters.get(name) ?? "");
  if (miner === "") return undefined;
  if (!ID.test(id)) refuse("its id is not 64 hexadecimal digits");
  if (!TOKEN.test(token)) refuse("its token is not one that a miner gives");
  return {
    ...{ miner: checkMinerUrl(miner, page), id, token },
    ...(validator !== "" && { validator: checkMinerUrl(validator, page) }),
  };
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot open the link: ${why}`);
}

/** Of a miner's own address of a receipt, its image or a step, with `?token=...`. */
function linkOfMiner(url: URL, page: string): ReceiptLink | undefined {
  const at = routeAt(url, PATHS.generation);
  if (!at) return undefined;
  const { base: miner, parameters: { id } } = at;
  return linkOf(
    new URLSearchParams({ miner, id, token: url.searchParams.get("token") ?? "" }),
    page,
  );
}

/** @returns the address of this page that leads there. */
export function hashOf(link: ReceiptLink): string {
  return `#/verify?${new URLSearchParams({ ...link })}`;
}

/**
 * A receipt as text, however it is spaced and ordered: what is signed is its canonical form.
 * @throws AppError `receipt_invalid`.
 */
export function receiptOf(text: string): Receipt {
  if (text.length > 2 * MAX_RECEIPT_BYTES) {
    throw new AppError("receipt_invalid", "Cannot read a receipt: it is too long");
  }
  return receiptFromJson(jsonOf(text));
}

function jsonOf(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw new AppError("receipt_invalid", "Cannot read a receipt: it is not JSON", { cause });
  }
}
