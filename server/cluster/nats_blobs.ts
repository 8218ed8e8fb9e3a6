import { nanos } from "@nats-io/transport-node";
import { type ObjectStore, Objm, StorageType } from "@nats-io/obj";
import type { Blobs } from "./cluster.ts";
import { checkKey } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { persist } from "./nats_writes.ts";

/** Milliseconds from one look at whether a file is still there to the next, while it is read. */
const LOOK_MS = 1000;

/** Files in an object store. */
export class NatsBlobs implements Blobs {
  readonly #store: ObjectStore;

  private constructor(store: ObjectStore) {
    this.#store = store;
  }

  static async open(
    { client, prefix, replicas }: NatsLink,
    name: string,
    seconds: number,
  ): Promise<NatsBlobs> {
    const options = { ttl: nanos(1000 * seconds), storage: StorageType.File, replicas };
    return new NatsBlobs(
      await persist(
        `open the store ${name}`,
        () => new Objm(client).create(`${prefix}_${name}`, options),
      ),
    );
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await persist("keep a file", () => this.#store.putBlob({ name: checkKey(key) }, bytes));
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const read = persist("read a file", () => this.#store.getBlob(checkKey(key)));
    read.catch(() => {});
    const ended = new AbortController();
    try {
      return await Promise.race([read, this.#gone(key, ended.signal)]) ?? undefined;
    } finally {
      ended.abort();
    }
  }

  /** A file whose time is over while it is read leaves its reader waiting for the rest. */
  async #gone(key: string, signal: AbortSignal): Promise<undefined> {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      if (!signal.aborted && !await this.#store.info(key).catch(() => true)) return undefined;
    }
  }

  async remove(key: string): Promise<void> {
    if (!await persist("find a file", () => this.#store.info(checkKey(key)))) return;
    await persist("remove a file", () => this.#store.delete(key));
  }
}
