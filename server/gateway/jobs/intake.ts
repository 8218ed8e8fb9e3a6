import { randomBytes } from "node:crypto";
import { AppError } from "../../../core/error.ts";
import type { GenerationRequest } from "../../../core/request/mod.ts";
import type { GatewayStore, Job, Once } from "../store/mod.ts";
import { filesOf, type JobFiles } from "./job_files.ts";
import type { Order } from "./maker.ts";

type Inputs = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

interface IntakeParts {
  readonly store: GatewayStore;
  readonly files: JobFiles;
  /** Throws where there is no room for an order. */
  readonly checkRoom: (order: Order) => void;
}

/** Orders become jobs: on disk with their files, or not at all. */
export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** @returns the job, and whether it is a new one. @throws as `Jobs.submit`. */
  async accept(order: Order): Promise<{ readonly job: Job; readonly isNew: boolean }> {
    const { owner, once } = order;
    const before = this.earlier(owner.id, once);
    if (before) return { job: before, isNew: false };
    this.#parts.checkRoom(order);
    const id = `job_${randomBytes(16).toString("hex")}`;
    const job = await this.#written(id, order, await this.inputsOf(order));
    return { job, isNew: job.id === id };
  }

  /** The job of an earlier call that this one repeats. @throws AppError `idempotency_conflict`. */
  earlier(owner: string, once: Once | undefined): Job | undefined {
    const found = once && this.#parts.store.jobs.ofOnce(owner, once.key);
    if (!found || found.asked === once.asked) return found?.job;
    throw new AppError(
      "idempotency_conflict",
      `Cannot take the job: its Idempotency-Key was used for another one, ${found.job.id}`,
    );
  }

  /** The files that an order names: its own, and those of the same key's jobs before. */
  async inputsOf(
    { owner, requests, inputs = new Map() }: Pick<Order, "owner" | "inputs"> & {
      readonly requests: readonly Pick<GenerationRequest, "image" | "mask" | "control">[];
    },
  ): Promise<Inputs> {
    const needed = new Map<string, Uint8Array<ArrayBuffer>>();
    for (const hash of new Set(requests.flatMap(filesOf))) {
      needed.set(hash, inputs.get(hash) ?? await this.#known(owner.id, hash));
    }
    return needed;
  }

  /** On disk with its files, or no file of it. @returns the earlier one that came while they were written. */
  async #written(id: string, order: Order, inputs: Inputs): Promise<Job> {
    const { store, files, checkRoom } = this.#parts;
    const { owner, once, requests, format, webhook, refinement } = order;
    try {
      await files.writeInputs(id, inputs);
      const meanwhile = this.earlier(owner.id, once);
      if (meanwhile) {
        await files.remove(id);
        return meanwhile;
      }
      checkRoom(order);
      return store.jobs.add({
        ...{ id, owner: owner.id, format, requests, webhook, once, refinement },
        inputs: [...inputs.keys()],
      });
    } catch (error) {
      await files.remove(id).catch(() => {});
      throw error;
    }
  }

  async #known(owner: string, hash: string): Promise<Uint8Array<ArrayBuffer>> {
    const { store, files } = this.#parts;
    const place = store.jobs.placeOf(owner, hash);
    const job = place && store.jobs.get(place.job);
    if (!job || !place) throw unknownFile(hash);
    try {
      return place.n === undefined
        ? await files.readInput(job.id, hash)
        : await files.readImage(job, place.n);
    } catch (cause) {
      // Its job may have ended meanwhile.
      if (store.jobs.placeOf(owner, hash)) throw cause;
      throw unknownFile(hash);
    }
  }
}

function unknownFile(hash: string): AppError {
  return new AppError(
    "invalid_request",
    `Cannot take the job: it names the file ${hash.slice(0, 12)}..., which it does not bring, ` +
      "and which no job of this key has; send it along",
    { field: "inputs" },
  );
}
