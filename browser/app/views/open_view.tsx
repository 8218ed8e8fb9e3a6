import { signal } from "@preact/signals";
import { busy, kept, offered, open, problem, show, subject, tell, verdicts } from "../state.ts";
import { hashOf } from "../link.ts";

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
        const [file] = event.dataTransfer?.files ?? [];
        if (file) void openFile(file);
      }}
    >
      <h2>Open a receipt</h2>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get("text");
          void open(String(text ?? ""));
        }}
      >
        <label class="wide">
          <span>
            A link to a receipt, the receipt itself, or the address of a miner or validator
          </span>
          <textarea name="text" rows={2} spellcheck={false} required />
        </label>
        <button type="submit" class="main" disabled={busy.value}>Open</button>
        <label class="small">
          or a file:{" "}
          <input
            type="file"
            accept=".json,application/json"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file) void openFile(file);
            }}
          />
        </label>
      </form>
      <p class="problem" role="alert">{problem.value}</p>
      <Offered />
    </section>
  );
}

const MOST_FILE = 2 ** 20;

function openFile(file: File): Promise<void> {
  if (file.size <= MOST_FILE) return file.text().then(open);
  return tell(() => Promise.reject(new Error("Cannot read a receipt: the file is too long.")));
}

function Offered() {
  if (offered.value.length === 0) return null;
  return (
    <>
      <h3>Offered to be checked</h3>
      <ul class="list">
        {offered.value.map(({ receipt, link }) => (
          <li key={link.id}>
            <span class="grow">{String(receipt.request?.prompt ?? "")}</span>
            <a href={hashOf(link)}>Look at it</a>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What was opened on this machine before. */
export function KeptView() {
  return (
    <section>
      <h2>On this machine</h2>
      {kept.value.length === 0 && <p class="faint">Nothing has been opened here yet.</p>}
      <ul class="list">
        {kept.value.map((stored) => (
          <li key={stored.id}>
            <span class="grow">
              {String(stored.receipt.request.prompt ?? "")}
              <br />
              <span class="faint mono">{stored.id.slice(0, 16)}</span>
            </span>
            <span>{verdicts.value.get(stored.id)?.verdict ?? "not checked"}</span>
            <button
              type="button"
              disabled={subject.value?.id === stored.id}
              onClick={() => void tell(() => show(stored))}
            >
              Look at it
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
