import { signal } from "@preact/signals";
import type { TargetedKeyboardEvent } from "preact";
import { useEffect } from "preact/hooks";
import { textOf } from "../api/mod.ts";
import { open, openFiles, opening } from "../state/mod.ts";
import { ProblemView } from "./problem_view.tsx";

const over = signal(false);

/** Where an image or a receipt comes in: dropped anywhere on the page, chosen, or pasted. */
export function OpenView() {
  useEffect(() => {
    const listeners = new AbortController();
    const { signal } = listeners;
    addEventListener("dragover", dragged, { signal });
    addEventListener("dragleave", left, { signal });
    addEventListener("drop", dropped, { signal });
    return () => listeners.abort();
  }, []);
  return (
    <section class="drop" data-over={over.value}>
      <label class="pick">
        <span class="button main">Choose an image</span>
        <span class="faint">
          or drop it anywhere on this page, with its receipt and transcript if you have them
        </span>
        <input
          type="file"
          multiple
          title="A receipt, its transcript, its image: together, or the one that you have"
          accept=".json,.safetensors,.png,.jpg,.jpeg,.webp"
          onChange={(event) => {
            const files = [...event.currentTarget.files ?? []];
            if (files.length > 0) void openFiles(files);
            // The same file may be chosen again.
            event.currentTarget.value = "";
          }}
        />
      </label>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void open(textOf(new FormData(event.currentTarget).get("text") ?? ""));
        }}
      >
        <label class="grow">
          <span class="small faint">
            Or a link to a receipt, a receipt, or the address of a validator or miner
          </span>
          <textarea name="text" rows={1} spellcheck={false} required onKeyDown={submitByEnter} />
        </label>
        <button type="submit">Open</button>
      </form>
      <p role="status" class="small faint">{opening.value && "Fetching it..."}</p>
      <ProblemView at="open" />
    </section>
  );
}

function dragged(event: DragEvent): void {
  event.preventDefault();
  over.value = true;
}

function left(event: DragEvent): void {
  // Into another element of the page it has not left it.
  if (event.relatedTarget === null) over.value = false;
}

function dropped(event: DragEvent): void {
  event.preventDefault();
  over.value = false;
  if (event.dataTransfer) void openDropped(event.dataTransfer);
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
