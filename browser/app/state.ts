import { computed, signal } from "@preact/signals";
import { type Receipt, receiptId } from "../../core/transcript/mod.ts";
import type { Report } from "../../core/verify/mod.ts";
import { engine, listener } from "./engine.ts";
import { hashOf, linkOf, openText } from "./link.ts";
import { checkMinerUrl } from "./miner_url.ts";
import {
  keepReceipt,
  keepVerdict,
  keptReceipt,
  keptReceipts,
  keptVerdicts,
  type StoredReceipt,
} from "./storage/mod.ts";
import type {
  Capabilities,
  CheckEvent,
  CheckOrder,
  ComputeChoice,
  Picture,
  ReceiptLink,
  Stage,
} from "./api.ts";

/** Which view is shown: the part of the address behind `#/`. */
export const route = signal(routeOf(location.hash));
/** The receipt that is looked at. */
export const subject = signal<StoredReceipt | undefined>(undefined);
/** A sentence for the reader: what could not be done. */
export const problem = signal("");
export const busy = signal(false);
export const compute = signal<ComputeChoice>("auto");
export const capabilities = signal<Capabilities | undefined>(undefined);
export const kept = signal<readonly StoredReceipt[]>([]);
export const verdicts = signal<ReadonlyMap<string, Report>>(new Map());
/** Receipts that a miner or validator shows. */
export const offered = signal<readonly OfferedReceipt[]>([]);
export const check = signal<CheckState>({ stages: new Map(), steps: [], pictures: new Map() });
export const report = computed(() => subject.value && verdicts.value.get(subject.value.id));

export interface OfferedReceipt {
  readonly receipt: Receipt;
  readonly link: ReceiptLink;
}

/** What is known of a check while it runs. */
export interface CheckState {
  /** Rungs that were reached, with what was said there. */
  readonly stages: ReadonlyMap<Stage, string>;
  readonly steps: readonly number[];
  readonly pictures: ReadonlyMap<number, StepPictures>;
}

export interface StepPictures {
  readonly state?: Picture;
  readonly theirs?: Picture;
  readonly ours?: Picture;
  readonly difference?: Picture;
}

/** The first part of the hash. */
function routeOf(hash: string): string {
  return /^#\/([a-z]+)/.exec(hash)?.[1] ?? "check";
}

/** Begins: what is stored, what the address leads to, what this browser can. */
export async function start(): Promise<void> {
  addEventListener("hashchange", () => void follow());
  void engine.capabilities().then((found) => capabilities.value = found);
  await readKept();
  await follow();
}

async function readKept(): Promise<void> {
  try {
    kept.value = await keptReceipts();
    verdicts.value = new Map((await keptVerdicts()).map(({ id, report }) => [id, report]));
  } catch {
    // Without storage everything else works.
  }
}

/** Does what the address says. */
async function follow(): Promise<void> {
  route.value = routeOf(location.hash);
  const parameters = new URLSearchParams(location.hash.split("?")[1] ?? "");
  if (route.value !== "check") return;
  await tell(async () => {
    const link = linkOf(parameters, location.href);
    const id = parameters.get("receipt");
    if (link && link.id !== subject.value?.id) await openLink(link);
    else if (id !== null) await openKept(id);
  });
}

/** Shows what goes wrong as a sentence. */
export async function tell(work: () => Promise<void>): Promise<void> {
  problem.value = "";
  busy.value = true;
  try {
    await work();
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error);
  } finally {
    busy.value = false;
  }
}

/** Opens whatever was pasted, dropped or typed. */
export function open(text: string): Promise<void> {
  return tell(async () => {
    const opened = openText(text, location.href);
    if (opened.kind === "link") location.hash = hashOf(opened.link);
    else if (opened.kind === "list") await readList(opened.url);
    else await show({ id: receiptId(opened.receipt), receipt: opened.receipt, at: Date.now() });
  });
}

async function openLink(link: ReceiptLink): Promise<void> {
  const known = await keptReceipt(link.id).catch(() => undefined);
  if (known?.image) return show({ ...known, link });
  const { receipt, image } = await engine.fetchReceipt(link);
  await show({ id: link.id, receipt, link, image, at: Date.now() });
}

async function openKept(id: string): Promise<void> {
  const known = await keptReceipt(id);
  if (!known) throw new Error("Cannot open the receipt: it is not on this machine any more.");
  await show(known);
}

/** Makes it the one that is looked at, and keeps it. */
export async function show(stored: StoredReceipt): Promise<void> {
  subject.value = stored;
  check.value = { stages: new Map(), steps: [], pictures: new Map() };
  if (route.value !== "check") location.hash = `#/check?receipt=${stored.id}`;
  const hasRoom = await keepReceipt(stored).catch(() => false);
  if (!hasRoom) problem.value = "This browser has no room to keep the receipt.";
  await readKept();
}

/** What a miner or validator offers to be looked at. */
async function readList(url: string): Promise<void> {
  const base = url.endsWith("/") ? url : `${url}/`;
  const response = await fetch(new URL("v1/receipts", base), {
    ...{ redirect: "error", credentials: "omit", signal: AbortSignal.timeout(15_000) },
  });
  if (!response.ok) throw new Error(`Cannot read the list: ${url} answered ${response.status}.`);
  const { receipts } = await response.json();
  offered.value = (receipts as readonly Record<string, unknown>[]).flatMap((entry) => {
    const { id, token, receipt } = entry;
    const miner = checkMinerUrl(String(entry.miner ?? base), location.href);
    return [{ receipt: receipt as Receipt, link: { miner, id: String(id), token: String(token) } }];
  });
  if (offered.value.length === 0) throw new Error("There are no receipts to look at, there.");
}

/** Checks the receipt that is looked at. */
export function runCheck(
  order: Pick<CheckOrder, "level" | "steps">,
): Promise<void> {
  const looked = subject.value;
  if (!looked) return Promise.resolve();
  check.value = { stages: new Map(), steps: [], pictures: new Map() };
  const { receipt, link, image, id } = looked;
  return tell(async () => {
    const found = await engine.check(
      { receipt, link, image, compute: compute.value, ...order },
      listener(take),
    );
    verdicts.value = new Map([...verdicts.value, [id, found]]);
    if (!await keepVerdict({ id, report: found, at: Date.now() })) {
      problem.value = "This browser has no room to keep the verdict.";
    }
  });
}

function take(event: CheckEvent): void {
  const { stages, steps, pictures } = check.value;
  switch (event.kind) {
    case "drawn":
      check.value = { stages, pictures, steps: event.steps };
      return;
    case "stage":
      check.value = { steps, pictures, stages: new Map([...stages, [event.stage, event.detail]]) };
      return;
    case "opened":
    case "compared": {
      const { kind: _, step, ...shown } = event;
      const own = "preview" in shown ? { state: shown.preview } : shown;
      const merged = { ...pictures.get(step), ...own };
      check.value = { stages, steps, pictures: new Map([...pictures, [step, merged]]) };
      return;
    }
    default:
      event satisfies never;
  }
}
