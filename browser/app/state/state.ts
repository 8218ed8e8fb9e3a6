import { computed, signal } from "@preact/signals";
import { reason } from "../../../core/error.ts";
import { type Receipt, receiptId } from "../../../core/transcript/mod.ts";
import type { Level } from "../../../core/verifier/mod.ts";
import { answered, engine, listener } from "./engine.ts";
import {
  CANCELLED,
  type Capabilities,
  type CheckEvent,
  type CheckOrder,
  type ComputeChoice,
  hashOf,
  linkOf,
  type OfferedReceipt,
  openText,
  pageOf,
  parametersOf,
  type ParentOrder,
  type Picture,
  type Reach,
  type ReceiptLink,
  type SourcePictures,
  type Stage,
  type TabReport,
} from "../api/mod.ts";
import {
  keepReceipt,
  keepVerdict,
  keptReceipt,
  keptReceipts,
  keptVerdicts,
  type StoredReceipt,
} from "../storage/mod.ts";
import { parentOf } from "./lineage.ts";
import { receiptsOfFiles, withGiven } from "./opened_files.ts";

/** Which page is shown: the part of the address behind `#/`. */
export const route = signal(pageOf(location.hash));
/** What the address says besides. */
export const address = signal(location.hash);
/** The receipt that is looked at. */
export const subject = signal<StoredReceipt | undefined>(undefined);
/** How far the receipt that is looked at can be checked here. */
export const reach = signal<Reach>({ level: 3 });
/** Where on the page something was asked for, and what went wrong with it is said. */
export type Place =
  | "open"
  | "check"
  | "files"
  | "attest"
  | "generate"
  | "key"
  | "explore"
  | "browser";
/** What could not be done, in a sentence for the reader; undefined where all went well. */
export const problem = signal<{ readonly at: Place; readonly text: string } | undefined>(undefined);
/** The file that led to a receipt by its looks: a copy of what was signed. */
export const copy = signal<{ readonly id: string; readonly image: Blob } | undefined>(undefined);
/** Whether a receipt or a list is on its way, and by what: the page's address, or the reader. */
export const opening = signal<"address" | "reader" | undefined>(undefined);
/** The reader asked for the receipt that is looked at, and has not been brought before it. */
export const arrived = signal(false);
export const compute = signal<ComputeChoice>("auto");
export const capabilities = signal<Capabilities | undefined>(undefined);
/** Receipts on this machine; undefined until they are read. */
export const kept = signal<readonly StoredReceipt[] | undefined>(undefined);
/** The last verdict on each receipt, by its id. */
export const verdicts = signal<ReadonlyMap<string, TabReport>>(new Map());
/** Receipts that a validator or miner shows. */
export const offered = signal<readonly OfferedReceipt[]>([]);
/** The last check that was begun here. */
const begun = signal<CheckState | undefined>(undefined);
/** Whether a check runs, of whichever receipt. */
export const checking = computed(() => begun.value?.running ?? false);
/** The last check, if it is of the receipt that is looked at. */
export const check = computed(() =>
  begun.value?.id === subject.value?.id ? begun.value : undefined
);
/** Of the last check; where that ended without one, as it was cancelled, the verdict before it. */
export const report = computed(() => {
  const { report, running } = check.value ?? {};
  return report ?? (running ? undefined : verdicts.value.get(subject.value?.id ?? ""));
});

/** What is known of a check. */
export interface CheckState {
  /** Of the receipt. */
  readonly id: string;
  readonly level: Level;
  readonly running: boolean;
  /** What was said at each stage that was reached. */
  readonly said: ReadonlyMap<Stage, string>;
  readonly steps: readonly number[];
  readonly pictures: ReadonlyMap<number, StepPictures>;
  /** What the run was made from, as far as that is here. */
  readonly sources?: SourcePictures;
  readonly report?: TabReport;
}

export interface StepPictures {
  readonly state?: Picture;
  readonly theirs?: Picture;
  readonly ours?: Picture;
  readonly difference?: Picture;
}

/** Begins: what is stored, what the address leads to, what this browser can. */
export async function start(): Promise<void> {
  addEventListener("hashchange", () => void follow());
  void attempt("check", async () => {
    capabilities.value = await answered(engine.capabilities());
  });
  // At once: what the reader does meanwhile is newer than the address.
  await Promise.all([follow(), readLists()]);
}

/** What the server of this page offers, unless the address leads somewhere, and what is kept. */
async function readLists(): Promise<void> {
  if (!location.hash.includes("?")) {
    // Most servers have none.
    const own = await answered(engine.readOwnList()).catch(() => []);
    // What the reader asked for meanwhile stays.
    if (offered.value.length === 0) offered.value = own;
  }
  await readKept();
}

/** Grows when everything was cleared. */
export const forgotten = signal(0);

/** After everything was cleared. */
export async function forgetAll(): Promise<void> {
  [subject.value, begun.value] = [undefined, undefined];
  [offered.value, verdicts.value, kept.value] = [[], new Map(), []];
  forgotten.value++;
  await readKept();
}

async function readKept(): Promise<void> {
  try {
    kept.value = await keptReceipts();
    verdicts.value = new Map((await keptVerdicts()).map(({ id, report }) => [id, report]));
  } catch {
    // Without storage everything else works.
    kept.value ??= [];
  }
}

/** Does what was asked for at a place, and says there what goes wrong. To cancel is no error. */
export async function attempt(at: Place, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error && error.name === CANCELLED) return;
    complain(at, reason(error));
  }
}

/** Says what went wrong at a place, as a sentence. */
export function complain(at: Place, text: string): void {
  problem.value = { at, text: /[.!?]$/.test(text) ? text : `${text}.` };
}

/** Of the last thing that was to be opened: what was asked for before it is not shown any more. */
let wanted = 0;

async function openBy(
  what: "address" | "reader",
  work: (isWanted: () => boolean) => Promise<void>,
): Promise<void> {
  const turn = ++wanted;
  const isWanted = () => turn === wanted;
  problem.value = undefined;
  opening.value = what;
  await attempt("open", async () => {
    try {
      await work(isWanted);
    } catch (error) {
      if (isWanted()) throw error;
    } finally {
      if (isWanted()) opening.value = undefined;
    }
  });
}

/** Marks entries of the browser's history that show no receipt. */
const BEFORE_ANY = "before any receipt";

/** Does what the address says. */
async function follow(): Promise<void> {
  address.value = location.hash;
  route.value = pageOf(location.hash);
  if (route.value !== "verify") {
    // It was of the view before.
    problem.value = undefined;
    return;
  }
  const parameters = parametersOf(location.hash);
  await openBy("address", async (isWanted) => {
    const link = linkOf(parameters, location.href);
    const id = link?.id ?? parameters.get("receipt");
    const looked = subject.value;
    if (id === null) {
      // The way back to the page as it was before any receipt was opened ...
      if (history.state === BEFORE_ANY) subject.value = undefined;
      // ... or else, without a receipt of its own, the address is that of what is looked at.
      else if (looked) history.replaceState(null, "", addressOf(looked));
      else history.replaceState(BEFORE_ANY, "");
      return;
    }
    if (looked?.id === id && (looked.link || !link)) return;
    if (link) await fetchLink(link, isWanted);
    else await showKept(id);
  });
}

/** Opens whatever was pasted, dropped or typed. */
export function open(text: string): Promise<void> {
  return openBy("reader", async (isWanted) => {
    const opened = openText(text, location.href);
    if (opened.kind === "link") return await fetchLink(opened.link, isWanted);
    if (opened.kind === "list") return await readList(opened.url, isWanted);
    const { receipt } = opened;
    const id = receiptId(receipt);
    // What is known of it, as its image and who opens it, is not lost.
    const known = await keptReceipt(id).catch(() => undefined);
    if (isWanted()) await show(known ?? { id, receipt, at: Date.now() });
  });
}

/**
 * Opens files together: receipts, their images and their run's transcript, in any order and by any
 * name. An image alone is looked up among the receipts that are known here.
 */
export function openFiles(files: readonly File[]): Promise<void> {
  return openBy("reader", async (isWanted) => {
    const hashesOf = (file: Blob) => answered(engine.hashesOf(file));
    const known = async () => [
      // First: it has its transcript, which is not kept.
      ...subject.value ? [subject.value] : [],
      ...await keptReceipts().catch(() => []),
      ...offered.value.map(({ receipt, link }) => ({ ...stored(receipt), link })),
      ...(await answered(engine.readOwnList()).catch(() => []))
        .map(({ receipt, link }) => ({ ...stored(receipt), link })),
    ];
    const find = async (file: Blob) =>
      (await answered(engine.findReceipts(file)).catch(() => []))
        .map(({ receipt, link }) => ({ ...stored(receipt), link }));
    const [first, ...others] = await receiptsOfFiles(files, { hashesOf, known, find });
    if (!isWanted()) return;
    for (const other of others) await keepReceipt(other).catch(() => false);
    if (first.image || !first.link) return await show(first);
    // Its looks led there: what is checked is the image that was signed, which its miner may have.
    const original = await answered(engine.fetchReceipt(first.link)).catch(() => undefined);
    if (!isWanted()) return;
    await show({ ...first, image: original?.image });
    const image = files.find(({ type }) => type.startsWith("image/")) ?? files[0];
    copy.value = { id: first.id, image };
  });
}

/** Adds files to the receipt that is looked at: its image, its transcript, what it was made from. */
export async function giveFiles(files: readonly File[]): Promise<void> {
  const looked = subject.value;
  if (!looked || files.length === 0) return;
  problem.value = undefined;
  await attempt("files", async () => {
    const found = await withGiven(looked, files, (file) => answered(engine.hashesOf(file)));
    if (subject.value === looked) await show(found);
  });
}

function stored(receipt: Receipt): StoredReceipt {
  return { id: receiptId(receipt), receipt, at: Date.now() };
}

export function openLink(link: ReceiptLink): Promise<void> {
  return openBy("reader", (isWanted) => fetchLink(link, isWanted));
}

async function fetchLink(link: ReceiptLink, isWanted: () => boolean): Promise<void> {
  const known = await keptReceipt(link.id).catch(() => undefined);
  const { receipt, image } = known?.image ? known : await answered(engine.fetchReceipt(link));
  if (isWanted()) await show({ id: link.id, receipt, link, image, at: Date.now() });
}

async function showKept(id: string): Promise<void> {
  const known = await keptReceipt(id);
  if (!known) throw new Error("Cannot open the receipt: it is not on this machine any more.");
  await show(known);
}

/** What a validator or miner offers to be looked at. */
async function readList(url: string, isWanted: () => boolean): Promise<void> {
  const found = await answered(engine.readList(url));
  if (!isWanted()) return;
  offered.value = found;
  if (found.length === 0) throw new Error(`There are no receipts to look at, at ${url}.`);
}

/** Looks at what is here already. */
export function look(stored: StoredReceipt): Promise<void> {
  return openBy("reader", () => show(stored));
}

/** Makes it the one that is looked at, and keeps it. */
async function show(stored: StoredReceipt): Promise<void> {
  subject.value = stored;
  arrived.value = opening.value === "reader";
  opening.value = undefined;
  reach.value = { level: 3 };
  route.value = "verify";
  const [shown, next] = [location.hash, addressOf(stored)];
  // Another way to write the address of the same receipt is no other page.
  if (pageOf(shown) === "verify" && shown.includes(stored.id)) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
  const hasRoom = await keepReceipt(stored).catch(() => false);
  if (!hasRoom) complain("open", "This browser has no room to keep the receipt.");
  await readKept();
  const found = await answered(engine.reach(stored));
  if (subject.value === stored) reach.value = found;
}

/** @returns the address of this page that leads there, also after a reload. */
export function addressOf({ id, link }: StoredReceipt): string {
  return link ? hashOf(link) : `#/verify?receipt=${id}`;
}

/** Checks the receipt that is looked at. A check that runs is ended by it. */
export async function runCheck(order: Pick<CheckOrder, "level" | "steps">): Promise<void> {
  const looked = subject.value;
  if (!looked) return;
  const { receipt, link, image, inputs, transcript, id } = looked;
  let state: CheckState = {
    ...{ id, level: order.level, running: true },
    ...{ said: new Map(), steps: [], pictures: new Map() },
  };
  /** What an older check still reports is not of this one. */
  const isLast = () => begun.value === state;
  const advance = (next: CheckState) => {
    if (!isLast()) return;
    state = next;
    begun.value = next;
  };
  begun.value = state;
  problem.value = undefined;
  await attempt("check", async () => {
    try {
      const parent = await withImage(await parentOf(looked, offered.value));
      const found = await answered(engine.check(
        { receipt, link, image, inputs, transcript, parent, compute: compute.value, ...order },
        listener((event) => advance(after(state, event))),
      ));
      advance({ ...state, running: false, report: found });
      await keepReport(id, found);
    } catch (error) {
      if (!isLast()) return;
      advance({ ...state, running: false });
      throw error;
    }
  });
}

/** What was enlarged is enlarged again from the image itself. */
async function withImage(parent: StoredReceipt | undefined): Promise<ParentOrder | undefined> {
  if (!parent) return undefined;
  const { receipt, image, link } = parent;
  if (image || !link) return { receipt, image };
  return await answered(engine.fetchReceipt(link)).catch(() => ({ receipt }));
}

async function keepReport(id: string, found: TabReport): Promise<void> {
  // That the miner did not open a step, or that nobody could ask him, is true of now alone.
  if (found.code === "opening_withheld") return;
  verdicts.value = new Map([...verdicts.value, [id, found]]);
  if (await keepVerdict({ id, report: found, at: Date.now() })) return;
  complain("check", "This browser has no room to keep the verdict.");
}

function after(state: CheckState, event: CheckEvent): CheckState {
  switch (event.kind) {
    case "drawn":
      return { ...state, steps: event.steps };
    case "stage":
      return { ...state, said: new Map([...state.said, [event.stage, event.detail]]) };
    case "sources":
      return { ...state, sources: event.sources };
    case "opened":
    case "compared": {
      const { kind: _, step, ...shown } = event;
      const merged = { ...state.pictures.get(step), ...shown };
      return { ...state, pictures: new Map([...state.pictures, [step, merged]]) };
    }
    default:
      return event satisfies never;
  }
}
