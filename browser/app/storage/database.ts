import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Receipt } from "../../../core/transcript/mod.ts";
import type { InputBlobs, JobOrder, ReceiptLink, TabReport } from "../api/mod.ts";

/** A receipt that was opened here. */
export interface StoredReceipt {
  /** `receiptId`. */
  readonly id: string;
  readonly receipt: Receipt;
  /** Where its steps are opened, if that is known. */
  readonly link?: ReceiptLink;
  readonly image?: Blob;
  /** Files that its request names, as far as they were given here. */
  readonly inputs?: InputBlobs;
  /** Of its run. It is not kept: most are larger than the image by far. */
  readonly transcript?: Blob;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A verdict that was reached here. */
export interface StoredVerdict {
  /** Of the receipt. */
  readonly id: string;
  readonly report: TabReport;
  readonly at: number;
}

/** An image that was made in this browser, or for it. */
export interface StoredImage extends StoredReceipt {
  readonly image: Blob;
  /** The validator whose miners made it; undefined for this browser. */
  readonly by?: string;
  /** What was asked for, to be changed and asked for again. */
  readonly order: JobOrder;
  /** Of its steps, where this browser made it: no miner opens them. */
  readonly steps?: Blob;
}

/** A job that a validator has. */
export interface PendingJob {
  readonly id: string;
  /** The validator. */
  readonly url: string;
  readonly order: JobOrder;
  readonly count: number;
  readonly at: number;
}

interface Schema extends DBSchema {
  receipts: { key: string; value: StoredReceipt; indexes: { at: number } };
  verdicts: { key: string; value: StoredVerdict };
  weights: { key: string; value: Blob };
  gallery: { key: string; value: StoredImage; indexes: { at: number } };
  jobs: { key: string; value: PendingJob };
}

export type Database = IDBPDatabase<Schema>;

const NAME = "stepwise";
/**
 * 1: receipts. 2: verdicts by receipt, and weights where there is no private file system. 3: images that
 * were made, and jobs that make some.
 */
const VERSION = 3;

let opening: Promise<Database> | undefined;

/** One connection for the page, one for its worker; older versions are brought up. */
export function openDatabase(): Promise<Database> {
  if (opening) return opening;
  const forget = () => opening = undefined;
  const own = openDB<Schema>(NAME, VERSION, {
    upgrade: (database, from) => {
      if (from < 1) {
        database.createObjectStore("receipts", { keyPath: "id" }).createIndex("at", "at");
      }
      if (from < 2) {
        database.createObjectStore("verdicts", { keyPath: "id" });
        database.createObjectStore("weights");
      }
      if (from < 3) {
        database.createObjectStore("gallery", { keyPath: "id" }).createIndex("at", "at");
        database.createObjectStore("jobs", { keyPath: "id" });
      }
    },
    // Another tab has a newer page: it may go on, and this one opens again when it is asked.
    blocking: async () => {
      forget();
      (await own).close();
    },
    terminated: forget,
  });
  // What failed once, for want of room or of a permission, may succeed the next time.
  own.catch(forget);
  return opening = own;
}
