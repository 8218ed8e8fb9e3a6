import { useEffect } from "preact/hooks";
import type { Subnet, SubnetMiner } from "../api/mod.ts";
import { ProblemView } from "../views/problem_view.tsx";
import { explore, exploring, subnet } from "./explore.ts";

/** The subnet as one validator measures it. */
export function ExploreView() {
  useEffect(() => void explore(), []);
  const found = subnet.value;
  return (
    <>
      <section>
        <h2>The subnet</h2>
        <ValidatorForm />
        <p role="status" class="small faint">{exploring.value && !found && "Asking it..."}</p>
        <ProblemView at="explore" />
        {found && <Summary of={found} />}
      </section>
      {found && <Miners of={found} />}
    </>
  );
}

function ValidatorForm() {
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const validator = String(new FormData(event.currentTarget).get("validator")).trim();
        history.pushState(null, "", `#/explore?${new URLSearchParams({ validator })}`);
        void explore();
      }}
    >
      <label class="grow">
        As measured by{" "}
        <input
          type="url"
          name="validator"
          required
          placeholder="the address of a validator"
          value={subnet.value?.url ?? ""}
        />
      </label>
      <button type="submit">Look</button>
    </form>
  );
}

function Summary({ of: { netuid, block, miners, version } }: { readonly of: Subnet }) {
  const rate = miners.reduce((sum, { imagesPerSecond = 0 }) => sum + imagesPerSecond, 0);
  const figures: readonly (readonly [string, string])[] = [
    ["Miners", String(miners.length)],
    ["Images a second", rate.toFixed(2)],
    ["Checks in a day", String(miners.reduce((sum, { checks }) => sum + checks, 0))],
    ["Caught", String(miners.filter(({ cheated }) => cheated).length)],
  ];
  return (
    <>
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="small faint">
        Subnet {netuid ?? "?"}, block {block ?? "?"}; Stepwise {version}
      </p>
    </>
  );
}

function Miners({ of: { miners } }: { readonly of: Subnet }) {
  const ordered = miners.toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || a.uid - b.uid);
  return (
    <section>
      <h2>Miners</h2>
      {miners.length === 0 && <p class="faint">No miner serves on this subnet yet.</p>}
      <div class="scroll" tabIndex={0} role="region" aria-label="Miners">
        <table>
          <thead>
            <tr>
              {["Miner", "Images a second", "Similarity", "Checks", "Served", "Weight"].map((
                text,
              ) => <th key={text} scope="col">{text}</th>)}
            </tr>
          </thead>
          <tbody>{ordered.map((miner) => <Row key={miner.hotkey} of={miner} />)}</tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ of }: { readonly of: SubnetMiner }) {
  return (
    <tr data-cheated={of.cheated} title={of.why}>
      <td>
        {of.uid} <span class="mono faint">{of.hotkey.slice(0, 8)}</span>
        {of.cheated && <span class="bad">caught</span>}
      </td>
      <td>{of.imagesPerSecond?.toFixed(2) ?? "-"}</td>
      <td>{of.similarity?.toFixed(4) ?? "-"}</td>
      <td>{of.checks}</td>
      <td>{of.served}</td>
      <td>{of.weight === undefined ? "-" : `${(100 * of.weight).toFixed(1)} %`}</td>
    </tr>
  );
}
