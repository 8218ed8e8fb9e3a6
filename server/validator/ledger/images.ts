import { hashDistance } from "../../../core/image/mod.ts";
import type { LedgerDatabase } from "./database.ts";
import type { MeasuredOf } from "./measured.ts";

/** Bits of 256 in which a copy of an image may look different; other images differ in 50 and more. */
const MAX_DISTANCE = 24;
/** Copies that are listed. */
const MAX_FOUND = 10;

/** An image that users were given. */
interface ServedImage {
  /** Of the file that its receipt commits to. */
  readonly sha256: string;
  /** `perceptualHash` of its pixels. */
  readonly looks: string;
  /** What is shown to who has the image. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Receipts of images that users were given, by what they are and by what they look like. */
export class ServedImages {
  readonly #database: LedgerDatabase;
  /** Of all that are kept: a search goes through them. */
  #looks: Map<string, string> | undefined;

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  /** @param keep how many are kept. */
  add(image: ServedImage, keep: number): void {
    const measured = { kind: "image", ...image, keep, at: this.#database.now() } as const;
    this.#database.record(measured, () => this.replace(measured));
  }

  /** As the log of all processes has it. */
  replace({ sha256, looks, entry, keep, at }: MeasuredOf<"image">): void {
    const known = this.#known();
    this.#database.run(
      "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)",
      ...[sha256, looks, JSON.stringify(entry), at],
    );
    known.set(sha256, looks);
    if (known.size > keep) this.#forgetOldest(known.size - keep);
  }

  /** @param sha256 of a file without what is written beside its picture. */
  ofFile(sha256: string): unknown[] {
    return this.#database.all("SELECT entry FROM images WHERE sha256 = ?", sha256)
      .map(({ entry }) => JSON.parse(String(entry)));
  }

  /** The hash of a receipt's image; undefined for a receipt that is not here. */
  ofReceipt(id: string): string | undefined {
    const row = this.#database.first(
      "SELECT sha256 FROM images WHERE json_extract(entry, '$.id') = ?",
      id,
    );
    return row && String(row.sha256);
  }

  /** The nearest first, each with its `distance` in bits. */
  alike(looks: string): unknown[] {
    const near = [...this.#known()].flatMap(([sha256, own]) => {
      const distance = hashDistance(looks, own);
      return distance <= MAX_DISTANCE ? { sha256, distance } : [];
    });
    return near.toSorted((one, other) => one.distance - other.distance).slice(0, MAX_FOUND)
      .flatMap(({ sha256, distance }) =>
        this.ofFile(sha256).map((entry) => ({ ...Object(entry), distance }))
      );
  }

  #known(): Map<string, string> {
    return this.#looks ??= new Map(
      this.#database.all("SELECT sha256, looks FROM images")
        .map(({ sha256, looks }) => [String(sha256), String(looks)]),
    );
  }

  #forgetOldest(count: number): void {
    const oldest = this.#database.all("SELECT sha256 FROM images ORDER BY at LIMIT ?", count);
    for (const { sha256 } of oldest) {
      this.#database.run("DELETE FROM images WHERE sha256 = ?", String(sha256));
      this.#known().delete(String(sha256));
    }
  }
}
