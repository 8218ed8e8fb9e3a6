import { useEffect, useState } from "preact/hooks";
import { attempt, ownServer, problem } from "../state/mod.ts";
import { connect, forgetKey, gateway, keyFacts, maker, refreshKey } from "./gateway.ts";
import { countOf } from "../api/mod.ts";
import { ProblemView } from "../views/problem_view.tsx";

/** Who makes the image: this browser, or the miners of a subnet. */
export function WhereView() {
  return (
    <div class="where">
      <div class="choice" role="radiogroup" aria-label="Who makes it">
        <Choice value="browser" title="This browser">
          Free, and nothing leaves this machine. A small model draws tau symbols.
        </Choice>
        <Choice value="miners" title="The subnet's miners">
          {gateway.value ? <Connected /> : "With a key of a validator."}
        </Choice>
      </div>
      {maker.value === "miners" && !gateway.value && <KeyForm />}
      <ProblemView at="key" />
    </div>
  );
}

function Choice({ value, title, children }: {
  readonly value: typeof maker.value;
  readonly title: string;
  readonly children: preact.ComponentChildren;
}) {
  return (
    <label class="option">
      <input
        type="radio"
        name="maker"
        checked={maker.value === value}
        onChange={() => maker.value = value}
      />
      <span>
        <strong>{title}</strong>
        <span class="small faint">{children}</span>
      </span>
    </label>
  );
}

function Connected() {
  useEffect(() => void refreshKey(), []);
  const facts = keyFacts.value;
  const left = facts?.imagesPerDay === undefined
    ? ""
    : `, ${countOf(Math.max(0, facts.imagesPerDay - facts.today), "image")} left today`;
  return (
    <>
      Through {new URL(gateway.value?.url ?? "").host}
      {facts ? `, as ${facts.name}${left}` : ""}.{" "}
      <button type="button" class="link" onClick={forgetKey}>Forget the key</button>
    </>
  );
}

function KeyForm() {
  const [url, setUrl] = useState("");
  useEffect(() => {
    void ownServer().then((server) => server?.jobs && setUrl((typed) => typed || server.url))
      .catch(() => {});
  }, []);
  const submit = (form: FormData) =>
    void attempt("key", async () => {
      problem.value = undefined;
      await connect(String(form.get("url")).trim(), String(form.get("key")));
    });
  return (
    <form
      class="row key"
      onSubmit={(event) => {
        event.preventDefault();
        submit(new FormData(event.currentTarget));
      }}
    >
      <label class="grow">
        Validator{" "}
        <input
          type="url"
          name="url"
          required
          placeholder="https://..."
          value={url}
          onInput={(event) => setUrl(event.currentTarget.value)}
        />
      </label>
      <label class="grow">
        Key <input type="password" name="key" required autocomplete="off" spellcheck={false} />
      </label>
      <button type="submit">Use this key</button>
      <p class="small faint wide">
        Its operator makes keys by{" "}
        <code>deno task keys new</code>. The key stays in this browser, and is sent to that
        validator alone.
      </p>
    </form>
  );
}
