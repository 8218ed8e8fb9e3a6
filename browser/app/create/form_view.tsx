import { attempt, problem } from "../state/mod.ts";
import { makingGateway } from "./gateway.ts";
import { lastRun, makeByMiners, makeHere, making } from "./orders.ts";
import { ComputeSelect } from "../views/check_view.tsx";
import { ProblemView } from "../views/problem_view.tsx";
import { InputFields, inputsOrder } from "../views/input_fields.tsx";
import { enter, type Entered, entered, orderOf } from "./form_state.ts";
import { StylesView } from "./styles_view.tsx";

const SIZES = ["1024", "768", "512", "256", "128", "64"];
const MOST_IMAGES = 4;

/** What is to be made. */
export function FormView() {
  return (
    <form
      class="order"
      onSubmit={(event) => {
        event.preventDefault();
        make();
      }}
    >
      <label class="wide">
        <span>What should it show?</span>
        <textarea
          name="prompt"
          dir="auto"
          maxLength={1000}
          rows={2}
          required
          {...field("prompt")}
        />
      </label>
      <StylesView />
      <div class="row">
        <Choice name="size" label="Size" of={SIZES} />
        <Choice
          name="images"
          label="Images"
          of={Array.from({ length: MOST_IMAGES }, (_, k) => String(k + 1))}
        />
        <button type="submit" class="main act" aria-disabled={making.value && !makingGateway.value}>
          Make it
        </button>
      </div>
      <InputFields here={!makingGateway.value} />
      <details>
        <summary class="small">More: what to leave out, seed, steps, guidance</summary>
        <Numbers />
      </details>
      <p role="status" class="small faint">{lastRun.value}</p>
      <ProblemView at="generate" />
    </form>
  );
}

function Numbers() {
  return (
    <div class="more">
      <label class="wide">
        <span>Without</span>
        <input
          name="negative"
          dir="auto"
          maxLength={1000}
          placeholder="what it should not show"
          {...field("negative")}
        />
      </label>
      <div class="row">
        <label>
          Seed{" "}
          <input
            name="seed"
            inputMode="numeric"
            pattern="[0-9]{1,19}"
            size={10}
            placeholder="any"
            {...field("seed")}
          />
        </label>
        <label>
          Steps <input name="steps" type="number" min={1} max={100} {...field("steps")} />
        </label>
        <label>
          Guidance{" "}
          <input name="guidance" type="number" min={0} max={20} step={0.5} {...field("guidance")} />
        </label>
      </div>
      {!makingGateway.value && (
        <>
          <label class="wide">
            <span>Model</span>
            <input
              name="model"
              inputMode="url"
              placeholder="the embedded one, or the address of a diffusers folder"
              {...field("model")}
            />
          </label>
          <ComputeSelect />
        </>
      )}
    </div>
  );
}

function Choice({ name, label, of }: {
  readonly name: "size" | "images";
  readonly label: string;
  readonly of: readonly string[];
}) {
  return (
    <label>
      {label}{" "}
      <select
        name={name}
        value={entered.value[name]}
        onChange={(event) => enter({ [name]: event.currentTarget.value })}
      >
        {of.map((value) => <option key={value} value={value}>{value}</option>)}
      </select>
    </label>
  );
}

/** A field's value, and what takes over what is typed. */
function field(name: Exclude<keyof Entered, "styles">) {
  return {
    value: entered.value[name],
    onInput: (
      event: { readonly currentTarget: { readonly value: string } },
    ) => enter({ [name]: event.currentTarget.value }),
  };
}

function make(): void {
  const access = makingGateway.value;
  if (!access && making.value) return;
  problem.value = undefined;
  lastRun.value = "";
  const order = orderOf(entered.value);
  const images = Number(entered.value.images);
  void attempt("generate", async () => {
    const { loras, ...inputs } = await inputsOrder();
    if (!access) return await makeHere({ ...order, ...inputs, loras }, images);
    const { model: _, compute: __, ...asked } = order;
    await makeByMiners(access, { ...asked, ...inputs }, images);
  });
}
