import { signal } from "@preact/signals";
import type { TargetedKeyboardEvent } from "preact";
import {
  kept,
  look,
  offered,
  open,
  openFiles,
  opening,
  openLink,
  subject,
  verdicts,
} from "../state/mod.ts";
import type { Receipt } from "../../../core/transcript/mod.ts";
import { type OfferedReceipt, type TabReport, textOf, timeOf } from "../api/mod.ts";
import type { StoredReceipt } from "../storage/mod.ts";

import { Boundary } from "./boundary.tsx";
import { ProblemView } from "./problem_view.tsx";

const over = signal(false);

/** Where a receipt comes in: pasted, dropped, picked from a list. */
export function OpenView() {
  return (
    <section
      class="drop"
      data-over={over.value}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => over.value = false}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        if (event.dataTransfer) void openDropped(event.dataTransfer);
      }}
    >
      <h2>Open a receipt</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void open(textOf(new FormData(event.currentTarget).get("text") ?? ""));
        }}
      >
        <label class="wide">
          <span>
            A link to a receipt, the receipt itself, or the address of a validator or miner
          </span>
          <textarea name="text" rows={2} spellcheck={false} required onKeyDown={submitByEnter} />
        </label>
        <button type="submit" class="main">Open</button>
        <label class="small">
          <span class="once">or drop files</span>
          <input
            type="file"
            multiple
            title="A receipt, its transcript, its image: together, or the one that you have"
            accept=".json,.safetensors,.png,.jpg,.jpeg,.webp"
            onChange={(event) => {
              const files = [...event.currentTarget.files ?? []];
              if (files.length > 0) void openFiles(files);
            }}
          />
        </label>
        <span role="status" class="small faint">{opening.value && "Fetching it..."}</span>
      </form>
      <ProblemView at="open" />
      <Offered />
    </section>
  );
}

/** What is pasted has all its lines: nobody writes one more. */
function submitByEnter(event: TargetedKeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}

/** Files, folders, a link, or text. */
async function openDropped(dropped: DataTransfer): Promise<void> {
  // Entries are there only until this function first waits.
  const entries = [...dropped.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files = [...dropped.files];
  const link = dropped.getData("text/uri-list").split(/\r?\n/).find((line) => /^[^#]/.test(line));
  const text = dropped.getData("text/plain");
  if (entries.some(({ isDirectory }) => isDirectory)) {
    return await openFiles((await Promise.all(entries.map(filesOf))).flat());
  }
  return await (files.length > 0 ? openFiles(files) : open(link ?? text));
}

/** The files of an entry, and of a folder those that lie in it. */
async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await fileOf(entry as FileSystemFileEntry)];
  const inside = await entriesIn(entry as FileSystemDirectoryEntry);
  return await Promise.all(
    inside.filter(({ isFile, name }) => isFile && !name.startsWith("."))
      .map((each) => fileOf(each as FileSystemFileEntry)),
  );
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** A reader gives some at a time, and none at the end. */
async function entriesIn(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function Offered() {
  if (offered.value.length === 0) return null;
  return (
    <>
      <h3>Offered to be checked</h3>
      <ul class="list">
        {offered.value.map((each) => (
          <Boundary key={each.link.id} what="the receipt">
            <OfferedItem {...each} />
          </Boundary>
        ))}
      </ul>
    </>
  );
}

function OfferedItem({ receipt, link }: OfferedReceipt) {
  return (
    <li>
      <span class="grow">
        <Prompt of={receipt} />
        <span class="faint small">
          {receipt.model.id}, {receipt.steps} steps, {timeOf(receipt.times.finished)}
        </span>
      </span>
      <button type="button" onClick={() => void openLink(link)}>Look at it</button>
    </li>
  );
}

/** Its beginning: a prompt may be as long as a page. */
function Prompt({ of }: { readonly of: Receipt }) {
  return <span class="prompt" dir="auto">{textOf(of.request.prompt)}</span>;
}

/** What was opened on this machine before. */
export function KeptView() {
  return (
    <section>
      <h2>On this machine</h2>
      {kept.value?.length === 0 && (
        <p class="faint">
          Nothing has been opened here yet. A receipt is what a miner signs for an image:{" "}
          <a href="#/create">make one in this tab</a>, and check its steps.
        </p>
      )}
      <ul class="list">
        {kept.value?.map((stored) => (
          <Boundary key={stored.id} what="the receipt">
            <KeptItem {...stored} />
          </Boundary>
        ))}
      </ul>
    </section>
  );
}

function KeptItem(stored: StoredReceipt) {
  const { id, receipt } = stored;
  const known = verdicts.value.get(id);
  return (
    <li>
      <span class="grow">
        <Prompt of={receipt} />
        <span class="faint mono">{id.slice(0, 16)}</span>
      </span>
      <span>{known ? listed(known) : "not checked"}</span>
      <button
        type="button"
        aria-current={subject.value?.id === id || undefined}
        onClick={() => void look(stored)}
      >
        Look at it
      </button>
    </li>
  );
}

function listed({ verdict, level, statementOnly }: TabReport): string {
  return statementOnly && verdict === "honest"
    ? "the signature holds, no more was checked"
    : `${verdict}, level ${level}`;
}
