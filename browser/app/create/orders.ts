import { signal } from "@preact/signals";
import { reason } from "../../../core/error.ts";
import { MAX_SEED } from "../../../core/request_limits.ts";
import { type Receipt, receiptId } from "../../../core/transcript/mod.ts";
import {
  CANCELLED,
  type GatewayAccess,
  type GenerateEvent,
  type GenerateOrder,
  JOB_NOT_FOUND,
  type JobOrder,
  type OrderEvent,
  type Picture,
} from "../api/mod.ts";
import { keepJob, type PendingJob, pendingJobs, removeJob } from "../storage/mod.ts";
import { addToGallery, newest } from "./gallery.ts";
import { gateway, refreshKey } from "./gateway.ts";
import { answered, compute, engine, listener } from "../state/mod.ts";

/** Images that are being made together. */
export interface Order {
  readonly key: string;
  readonly order: JobOrder;
  /** The validator; undefined for this browser. */
  readonly by: string | undefined;
  readonly images: readonly OrderImage[];
  /** Where it stands, in words. */
  readonly status: string;
  /** Why it ended without all of its images. */
  readonly problem?: string;
  readonly cancel: () => void;
  /** Where a validator has its images still: what to do about the problem. */
  readonly kept?: { readonly tryAgain: () => void; readonly giveUp: () => void };
}

/** What is known of an image that is not there yet, or never will be. */
export interface OrderImage {
  readonly state: "waiting" | "running" | "made" | "failed";
  readonly step: number;
  readonly steps: number;
  /** A picture, or a data URL of one. */
  readonly preview?: Picture | string;
}

/** What is being made, the newest first; what failed stays until it is closed. */
export const orders = signal<readonly Order[]>([]);
/** Whether this browser makes something: it makes one image at a time. */
export const making = signal(false);
/** What the last image that this browser made took, in words. */
export const lastRun = signal("");

const WAITING: OrderImage = { state: "waiting", step: 0, steps: 0 };
let count = 0;

function begin(fields: Pick<Order, "order" | "by" | "cancel">, images: number): string {
  const key = `order ${++count}`;
  const order = { ...fields, key, images: Array(images).fill(WAITING), status: "Sending it..." };
  orders.value = [order, ...orders.value];
  newest.value = undefined;
  return key;
}

function change(key: string, next: (order: Order) => Order): void {
  orders.value = orders.value.map((order) => order.key === key ? next(order) : order);
}

export function closeOrder(key: string): void {
  orders.value = orders.value.filter((order) => order.key !== key);
}

function changeImage(key: string, n: number, image: Partial<OrderImage>): void {
  change(key, (order) => ({
    ...order,
    images: order.images.map((before, k) => k === n ? { ...before, ...image } : before),
  }));
}

/** Ends an order: it is closed where all went well, or its user stopped it. */
async function ending(key: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error && error.name === CANCELLED)) {
      change(key, (order) => ({ ...order, status: "", problem: reason(error) }));
      return;
    }
    closeOrder(key);
    return;
  }
  if (!orders.value.find((order) => order.key === key)?.problem) closeOrder(key);
}

/** Makes images in this browser, one after the other, each with the next seed. */
export async function makeHere(order: GenerateOrder, images: number): Promise<void> {
  let stopped = false;
  const cancel = () => {
    stopped = true;
    void engine.cancel();
  };
  const key = begin({ order, by: undefined, cancel }, images);
  making.value = true;
  await ending(key, async () => {
    try {
      for (let n = 0; n < images && !stopped; n++) await makeOne(key, order, n);
    } finally {
      making.value = false;
    }
  });
}

async function makeOne(key: string, order: GenerateOrder, n: number): Promise<void> {
  const own = await answered(engine.generate(
    { ...order, seed: String((BigInt(order.seed) + BigInt(n)) & MAX_SEED), compute: compute.value },
    listener((event) => takeStep(key, n, event)),
  ));
  const { receipt, image, inputs, transcript } = own;
  const fetched = own.fetched === 0 ? "" : `, ${(own.fetched / 1e6).toFixed(1)} MB fetched`;
  lastRun.value = `${own.seconds.toFixed(1)} s on ${own.compute}${fetched}`;
  changeImage(key, n, { state: "made" });
  await addToGallery({
    ...{ id: receiptId(receipt), receipt, image, inputs, steps: transcript, at: Date.now() },
    order: wordsOf(order, receipt),
  });
}

/** What is asked for again; files that it came from are kept with the image. */
function wordsOf(
  { prompt, negativePrompt, steps, guidanceScale, size }: JobOrder,
  { request: { seed } }: Receipt,
): JobOrder {
  return { prompt, negativePrompt, steps, guidanceScale, size, seed: String(seed) };
}

function takeStep(key: string, n: number, event: GenerateEvent): void {
  if (event.kind === "stage") {
    change(key, (order) => ({ ...order, status: event.detail }));
    return;
  }
  showStep(key, n, event);
}

function showStep(
  key: string,
  n: number,
  { step, steps, preview }: Pick<OrderImage, "step" | "steps" | "preview">,
): void {
  changeImage(key, n, { state: "running", step, steps, ...(preview && { preview }) });
  change(key, (order) => ({ ...order, status: `Step ${step} of ${steps}` }));
}

/** Has images made by a validator's miners. The job goes on without this page, which finds it again. */
export async function makeByMiners(
  access: GatewayAccess,
  order: JobOrder,
  images: number,
): Promise<void> {
  let id: string | undefined;
  let stopped = false;
  const cancel = () => {
    stopped = true;
    if (id !== undefined) void answered(engine.cancelJob(access, id)).catch(() => {});
  };
  const key = begin({ order, by: access.url, cancel }, images);
  await ending(key, async () => {
    id = await answered(engine.submitJob(access, order, images, crypto.randomUUID()));
    if (stopped) cancel();
    const job = { id, url: access.url, order, count: images, at: Date.now() };
    await keepJob(job).catch(() => {});
    await follow(key, access, job);
  });
}

/** Goes on with what was asked for before the page was closed. */
export async function resumeJobs(): Promise<void> {
  const access = gateway.value;
  if (!access) return;
  for (const job of await pendingJobs().catch(() => [])) {
    if (job.url !== access.url) continue;
    const cancel = () => void answered(engine.cancelJob(access, job.id)).catch(() => {});
    const key = begin({ order: job.order, by: job.url, cancel }, job.count);
    void ending(key, () => follow(key, access, job));
  }
}

/** What keeps a job from being followed does not end it: it is kept until it is over, or given up. */
async function follow(key: string, access: GatewayAccess, job: PendingJob): Promise<void> {
  const taking: Promise<void>[] = [];
  const watching = answered(
    engine.watchJob(access, job.id, listener((event) => void taking.push(take(key, job, event)))),
  );
  try {
    await watching.finally(() => Promise.all(taking));
    await removeJob(job.id).catch(() => {});
  } catch (error) {
    if (isOver(error)) await removeJob(job.id).catch(() => {});
    else offerAgain(key, access, job);
    throw error;
  } finally {
    void refreshKey();
  }
}

/** Whether the validator will never give the job's images. */
function isOver(error: unknown): boolean {
  return error instanceof Error && (error.name === CANCELLED || error.name === JOB_NOT_FOUND);
}

function offerAgain(key: string, access: GatewayAccess, job: PendingJob): void {
  const tryAgain = () => {
    change(key, ({ problem: _, kept: __, ...order }) => ({ ...order, status: "Asking again..." }));
    void ending(key, () => follow(key, access, job));
  };
  const giveUp = () => {
    void answered(engine.cancelJob(access, job.id)).catch(() => {});
    void removeJob(job.id).catch(() => {});
    closeOrder(key);
  };
  change(key, (order) => ({ ...order, kept: { tryAgain, giveUp } }));
}

async function take(key: string, job: PendingJob, event: OrderEvent): Promise<void> {
  switch (event.kind) {
    case "queued":
      return change(key, (order) => ({ ...order, status: placeText(event) }));
    case "step":
      return showStep(key, event.n, event);
    case "failed":
      changeImage(key, event.n, { state: "failed" });
      return change(key, (order) => ({ ...order, problem: event.why }));
    case "made": {
      const { receipt, link, image, notices } = event.image;
      if (notices.length > 0) lastRun.value = notices.join(" ");
      changeImage(key, event.n, { state: "made" });
      return await addToGallery({
        ...{ id: receiptId(receipt), receipt, image, at: Date.now(), by: job.url },
        ...(link && { link }),
        order: wordsOf(job.order, receipt),
      });
    }
    default:
      return event satisfies never;
  }
}

function placeText({ position, waitSeconds }: OrderEvent & { readonly kind: "queued" }): string {
  const wait = waitSeconds === undefined ? "" : `, about ${Math.ceil(waitSeconds)} s`;
  return position === 0 ? `It is next${wait}` : `${position} before it${wait}`;
}
