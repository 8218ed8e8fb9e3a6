import { type KV, Kvm } from "@nats-io/kv";
import type { Once } from "./cluster.ts";
import { checkKey } from "./names.ts";
import type { NatsLink } from "./nats_link.ts";
import { isTaken, persist } from "./nats_writes.ts";

/** Values that are written once, in a bucket whose values end with their time. */
export class NatsOnce implements Once {
  readonly #bucket: KV;

  private constructor(bucket: KV) {
    this.#bucket = bucket;
  }

  static async open(
    { client, prefix, replicas }: NatsLink,
    name: string,
    seconds: number,
  ): Promise<NatsOnce> {
    const options = { ttl: 1000 * seconds, history: 1, replicas, allow_direct: false };
    return new NatsOnce(
      await persist(
        `open the table ${name}`,
        () => new Kvm(client).create(`${prefix}_${name}`, options),
      ),
    );
  }

  async claim(key: string, value: string): Promise<boolean> {
    return await this.#first("claim a key", async (tries) => {
      // An answer may have been lost, not the claim.
      if (tries > 0 && await this.get(key) === value) return;
      await this.#bucket.create(checkKey(key), value);
    });
  }

  async get(key: string): Promise<string | undefined> {
    const entry = await persist("read a key", () => this.#bucket.get(checkKey(key)));
    return entry?.operation === "PUT" ? entry.string() : undefined;
  }

  async renew(key: string, value: string): Promise<boolean> {
    const revision = await this.#revisionOf(key, value);
    if (revision === undefined) return false;
    return await this.#first("keep a key", () => this.#bucket.update(key, value, revision));
  }

  async release(key: string, value: string): Promise<void> {
    const previousSeq = await this.#revisionOf(key, value);
    if (previousSeq === undefined) return;
    await this.#first("release a key", () => this.#bucket.delete(key, { previousSeq }));
  }

  async #revisionOf(key: string, value: string): Promise<number | undefined> {
    const entry = await persist("read a key", () => this.#bucket.get(checkKey(key)));
    return entry?.operation === "PUT" && entry.string() === value ? entry.revision : undefined;
  }

  /** @returns false when somebody else wrote before. */
  async #first(doing: string, work: (tries: number) => Promise<unknown>): Promise<boolean> {
    try {
      await persist(doing, work);
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      throw error;
    }
  }
}
