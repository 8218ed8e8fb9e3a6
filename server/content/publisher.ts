import type { RelevanceEncoder } from "../../core/content/mod.ts";
import { AppError } from "../../core/error.ts";
import { Mutex } from "../../core/mutex.ts";
import type { Safety } from "../safety/mod.ts";
import { BackOff } from "./back_off.ts";
import { makeBatch } from "./batch.ts";
import type { Check } from "./checks.ts";
import type { ObjectStore } from "./object_store.ts";
import type { PinningService } from "./pinning.ts";
import type { Listed, Publications, StoredBatch } from "./publications.ts";
import { scoreSubmission } from "./scoring.ts";
import { decodeSubmission, decodeUserSubmission, type Voucher } from "./submission.ts";

export interface PublisherParts {
  readonly publications: Publications;
  readonly store: ObjectStore;
  readonly safety: Pick<Safety, "screen" | "screenImage">;
  /** And the id of the model whose pictures it is for. */
  readonly relevance?: {
    readonly encoder: Pick<RelevanceEncoder, "score">;
    readonly model: string;
  };
  /** Of steps, as its miner opens them. */
  readonly check?: Check;
  /** Vouches for users of applications, who have no key. */
  readonly operator?: Omit<Voucher, "user">;
  /** Keeps batches on IPFS besides. */
  readonly pinning?: PinningService;
  /** Commits a batch's root, where there is a chain. */
  readonly commit?: (root: Uint8Array<ArrayBuffer>) => Promise<unknown>;
  /** Of the files in one batch. */
  readonly maxBytes?: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Pieces in one batch, and bytes of their files: what waits beyond it is the next one's. */
const MAX_PIECES = 200;
const MAX_BYTES = 256 * 2 ** 20;

/** Takes pieces in, one after the other: each is compared with all before it. */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #turns = new Mutex();
  /** Of batches: storing one keeps nobody from publishing. */
  readonly #batches = new Mutex();
  readonly #pins = new BackOff();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /**
   * @param json the body of a submission.
   * @param user of an application, who signs nothing: the operator vouches for them.
   * @throws AppError as `decodeSubmission`; `content_blocked` for what is not for everybody; as the
   * checks of its steps; `invalid_request` for what is published already, or a copy.
   */
  async publish(json: unknown, user?: string): Promise<Listed> {
    const { publications, safety, relevance, check, now } = this.#parts;
    const { submission, token } = user === undefined
      ? decodeSubmission(json, now())
      : await decodeUserSubmission(json, this.#voucher(user), now());
    const { receipt, image, caption } = submission;
    const words = { prompt: String(receipt.request.prompt ?? ""), prompt2: caption };
    const found = [safety.screen(words, "block"), await safety.screenImage(image, "block")];
    const blocked = found.find(({ action }) => action === "block");
    if (blocked) {
      throw new AppError("content_blocked", `Cannot publish: ${blocked.findings.join(", ")}`);
    }
    if (publications.find(submission.id)) {
      const why = `${submission.id} is published already`;
      throw new AppError("invalid_request", `Cannot publish: ${why}`);
    }
    const attestations = check ? [await check(submission, token)] : [];
    const encoder = relevance?.model === receipt.model.id ? relevance.encoder : undefined;
    return await this.#turns.run(async () => {
      const scored = await scoreSubmission(submission, publications.fingerprints, encoder);
      const { image: _, ...listed } = publications.add(submission, scored, now(), attestations);
      return listed;
    });
  }

  #voucher(user: string) {
    const { operator } = this.#parts;
    if (operator) return { ...operator, user };
    throw new AppError(
      "not_allowed",
      "Cannot publish for a user: this server has no key that vouches for them",
    );
  }

  /**
   * Asks the pinning service for what it does not hold yet, each batch ever more rarely.
   * @throws the first error, once all were asked for.
   */
  async pin(): Promise<void> {
    const { publications, pinning, now } = this.#parts;
    if (!pinning) return;
    const errors: unknown[] = [];
    for (const { cid, epoch } of publications.unpinned()) {
      if (!this.#pins.isDue(cid, now())) continue;
      try {
        const held = await pinning.pin({ cid, name: `stepwise batch ${epoch}` });
        if (held) publications.pinned(cid);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /**
   * Stores what waits as the next batch, then commits its root. What a crash or an error leaves half done
   * is done again, with the same bytes, before anything else.
   * @returns undefined when nothing waits.
   */
  async batch(): Promise<StoredBatch | undefined> {
    return await this.#batches.run(async () => {
      const { publications, store, commit, maxBytes = MAX_BYTES } = this.#parts;
      const epoch = publications.freeze(MAX_PIECES, maxBytes);
      if (epoch === undefined) return undefined;
      const { cid, root, car } = await makeBatch(epoch, publications.piecesOf(epoch));
      await store.put(`${cid}.car`, car);
      await commit?.(Uint8Array.fromHex(root));
      publications.addBatch({ epoch, cid, root });
      return { epoch, cid, root };
    });
  }
}
