import { nanos } from "@nats-io/transport-node";
import { type ObjectStore, Objm, StorageType } from "@nats-io/obj";
import type { Blobs } from "./cluster.ts";
import { checkKey } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { persist } from "./nats_writes.ts";

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
    return await persist("read a file", () => this.#store.getBlob(checkKey(key))) ?? undefined;
  }

  async remove(key: string): Promise<void> {
    if (!await persist("find a file", () => this.#store.info(checkKey(key)))) return;
    await persist("remove a file", () => this.#store.delete(key));
  }
}
