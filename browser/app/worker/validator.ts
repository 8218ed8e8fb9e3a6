import {
  addressOf,
  checkAttestation,
  decodeAttestation,
  MAX_REFUSAL_BYTES,
  PATHS,
  type SignedAttestation,
} from "../../../core/protocol/mod.ts";
import { receiptFromJson, receiptId } from "../../../core/transcript/mod.ts";
import { linkOf, type OfferedReceipt } from "../api/mod.ts";

import { fetchJson } from "./fetch_json.ts";
import { pageRoot } from "./page_root.ts";

/** The HTTP API of validators, and what miners have of it. Their answers are untrusted. */

type ListPath = typeof PATHS.receipts | typeof PATHS.pageReceipts;

/** Receipts and attestations that are read; a validator lists twenty of each. */
const MAX_ENTRIES = 100;
const MAX_LIST_BYTES = 8 * 2 ** 20;

/** What the server of this page shows: a file of the page, but where a neuron serves it. */
export function readOwnList(page: string): Promise<OfferedReceipt[]> {
  return readList(pageRoot(), page, PATHS.pageReceipts);
}

/**
 * @param from a validator, which names the miners, or a miner, which lists its own.
 * @param page the page's own address.
 * @throws AppError `opening_withheld`.
 */
export async function readList(
  from: string,
  page: string,
  path: ListPath = PATHS.receipts,
  query: Readonly<Record<string, string>> = {},
): Promise<OfferedReceipt[]> {
  return sound(await entriesOf(from, path, "receipts", query), (entry) => {
    // A server that knows of no images gives its list instead.
    if (query.looks !== undefined && typeof entry.distance !== "number") return undefined;
    // Without a token nobody but its user opens it: it started from files.
    if (entry.token === undefined) return undefined;
    const receipt = receiptFromJson(entry.receipt);
    const parameters = {
      ...{ id: String(entry.id), token: String(entry.token) },
      ...entry.miner === undefined
        ? { miner: from }
        : { miner: String(entry.miner), validator: from },
    };
    const link = linkOf(new URLSearchParams(parameters), page);
    return link?.id === receiptId(receipt) ? { receipt, link } : undefined;
  });
}

/** Of one receipt or of any, the newest first. @throws AppError `opening_withheld`. */
export async function readAttestations(
  validator: string,
  receipt?: string,
): Promise<SignedAttestation[]> {
  const query: Readonly<Record<string, string>> = receipt === undefined ? {} : { receipt };
  const entries = await entriesOf(validator, PATHS.attestations, "attestations", query);
  return sound(entries, (entry) => {
    const signed = decodeAttestation(entry);
    checkAttestation(signed);
    return receipt === undefined || signed.attestation.receipt === receipt ? signed : undefined;
  });
}

/** @throws AppError `opening_withheld`, with the validator's words. */
export async function sendAttestation(validator: string, signed: SignedAttestation): Promise<void> {
  await fetchJson({
    ...{ whom: "the validator", url: addressOf(validator, PATHS.attestations, {}) },
    maxBytes: MAX_REFUSAL_BYTES,
    init: {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(signed),
    },
  });
}

async function entriesOf(
  from: string,
  path: ListPath | typeof PATHS.attestations,
  name: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  const url = addressOf(from, path, {});
  url.search = String(new URLSearchParams(query));
  const answer = await fetchJson({ whom: "the server", url, maxBytes: MAX_LIST_BYTES });
  const list = (answer as Readonly<Record<string, unknown>> | null)?.[name];
  return Array.isArray(list) ? list.slice(0, MAX_ENTRIES) : [];
}

/** Only a bad entry itself is dropped. */
function sound<T>(
  entries: readonly unknown[],
  read: (entry: Readonly<Record<string, unknown>>) => T | undefined,
): T[] {
  return entries.flatMap((entry) => {
    try {
      return read(Object(entry)) ?? [];
    } catch {
      return [];
    }
  });
}
