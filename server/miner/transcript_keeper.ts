import type { OpeningTarget } from "../../core/transcript/mod.ts";
import type { Cluster } from "../cluster/mod.ts";
import { decodeQuestion, type KeeperQuestion, SUBJECTS, toBytes } from "./cluster_messages.ts";
import type { ImageFile, ImageSource } from "./image_source.ts";

type Kept = Pick<ImageSource, "opens" | "receipt" | "open" | "image" | "input" | "forget">;

/** Answers in a cluster for the transcripts of this process, each on a subject of its own. */
export class TranscriptKeeper implements Disposable {
  readonly #cluster: Cluster;
  readonly #source: Kept;
  readonly #kept = new Map<string, Disposable>();
  #closed = false;

  constructor(cluster: Cluster, source: Kept) {
    this.#cluster = cluster;
    this.#source = source;
  }

  /** Answers for these from now on. */
  async keep(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map(async (id) => {
      const answering = await this.#cluster.bus.answer(
        SUBJECTS.receipt(id),
        (body) => this.#answer(id, decodeQuestion(body)),
      );
      if (this.#closed) answering[Symbol.dispose]();
      this.#kept.set(id, answering);
    }));
  }

  /** It is not here any more. */
  forget(id: string): void {
    this.#kept.get(id)?.[Symbol.dispose]();
    this.#kept.delete(id);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const id of [...this.#kept.keys()]) this.forget(id);
  }

  async #answer(id: string, question: KeeperQuestion): Promise<Uint8Array> {
    const source = this.#source;
    switch (question.want) {
      case "opens":
        return toBytes(await source.opens(question.token, id));
      case "receipt":
        return toBytes(await source.receipt(id));
      case "image":
        return fileBytes(await source.image(id));
      case "input":
        return await source.input(id, question.sha256);
      case "step":
        return await source.open(id, question.step as OpeningTarget);
      case "forget":
        await source.forget(id);
        this.forget(id);
        return toBytes(true);
      default:
        return question satisfies never;
    }
  }
}

/** A file with its media type before it. */
function fileBytes({ bytes, mediaType }: ImageFile): Uint8Array {
  const head = new TextEncoder().encode(`${mediaType}\n`);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  return all;
}

/** @returns the file of {@link fileBytes}. */
export function fileOf(all: Uint8Array): ImageFile {
  const end = all.indexOf("\n".charCodeAt(0));
  return {
    mediaType: new TextDecoder().decode(all.subarray(0, end)),
    bytes: Uint8Array.from(all.subarray(end + 1)),
  };
}
