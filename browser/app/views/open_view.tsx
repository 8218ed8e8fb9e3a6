import { signal } from "@preact/signals";
import type { TargetedKeyboardEvent } from "preact";
import {
  complain,
  kept,
  look,
  offered,
  open,
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
          <span class="once">or choose or drop a file</span>
          <input
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file) void openFile(file);
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

/** A file, a link, or text. */
function openDropped(dropped: DataTransfer): Promise<void> {
  const [file] = dropped.files;
  if (file) return openFile(file);
  const link = dropped.getData("text/uri-list").split(/\r?\n/).find((line) => /^[^#]/.test(line));
  return open(link ?? dropped.getData("text/plain"));
}

const MOST_FILE = 2 ** 20;

async function openFile(file: File): Promise<void> {
  if (file.size <= MOST_FILE) return await open(await file.text());
  complain("open", "Cannot read a receipt: the file is too long.");
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
          <a href="#/generate">make one in this tab</a>, and check its steps.
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
