import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import type { OfferedReceipt, Subnet } from "../api/mod.ts";
import { countOf, timeOf } from "../api/mod.ts";
import { address, answered, engine } from "../state/mod.ts";
import { BlobImage } from "../views/blob_image.tsx";
import { ProblemView } from "../views/problem_view.tsx";
import { ReceiptTiles } from "../views/receipt_tiles.tsx";
import { Charts } from "./charts.tsx";
import { explore, exploring, subnet } from "./explore.ts";
import { MinersView } from "./miners_view.tsx";

/** The subnet as one validator measures it. */
export function ExploreView() {
  useEffect(() => void explore(), [address.value]);
  const found = subnet.value;
  return (
    <>
      <section>
        <h2>The subnet now</h2>
        <p class="faint">
          What one validator measures, in public: anybody may run one and compare.
        </p>
        <ValidatorForm />
        <p role="status" class="small faint">{exploring.value && !found && "Asking it..."}</p>
        <ProblemView at="explore" />
        {found && <Summary of={found} />}
        {found && <Charts of={found} />}
      </section>
      {found && (
        <>
          <MinersView of={found.miners} />
          <Recent from={found.url} />
          <Pieces of={found} />
          <Attested of={found} />
        </>
      )}
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
        location.hash = `#/explore?${new URLSearchParams({ validator })}`;
      }}
    >
      <label class="grow">
        <span>Validator</span>
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
  const checks = miners.reduce((sum, miner) => sum + miner.checks, 0);
  const caught = miners.filter(({ cheated }) => cheated).length;
  const figures: readonly (readonly [string, string])[] = [
    ["Miners", String(miners.length)],
    ["Images a second", rate.toFixed(2)],
    ["Checks in a day", String(checks)],
    ["Caught cheating", String(caught)],
  ];
  return (
    <>
      <dl class="figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt class="small">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="small faint">
        {netuid === undefined ? "" : `Subnet ${netuid}, `}
        {block === undefined ? "" : `block ${block}, `}Stepwise {version}
      </p>
    </>
  );
}

const recent = signal<{ readonly from: string; readonly receipts: readonly OfferedReceipt[] }>();

/** Images whose receipts the validator shows. */
function Recent({ from }: { readonly from: string }) {
  useEffect(() => {
    void answered(engine.readList(from)).then((receipts) => recent.value = { from, receipts })
      .catch(() => {});
  }, [from]);
  const shown = recent.value?.from === from ? recent.value.receipts : [];
  return (
    <section>
      <h2>Recent images</h2>
      {shown.length === 0
        ? <p class="faint">The validator shows none now: it shows images of its own tests alone.</p>
        : <ReceiptTiles of={shown} />}
    </section>
  );
}

function Pieces({ of: { pieces } }: { readonly of: Subnet }) {
  if (pieces.length === 0) return null;
  return (
    <section>
      <h2>Published by people</h2>
      <ul class="gallery">
        {pieces.map(({ id, caption, creator, at, image }) => (
          <li key={id}>
            <span class="tile">
              <BlobImage image={image} label={caption} width={256} height={256} />
            </span>
            <p class="small" dir="auto">{caption}</p>
            <p class="small faint">{creator.slice(0, 8)}, {timeOf(at)}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Attested({ of: { attestations } }: { readonly of: Subnet }) {
  return (
    <section>
      <h2>Attestations</h2>
      {attestations.length === 0 && (
        <p class="faint">
          Nobody has signed a verdict yet: <a href="#/verify">check an image</a>, and sign yours.
        </p>
      )}
      <ul class="list">
        {attestations.map(({ attestation: { checker, receipt, verdict, level, steps, at } }) => (
          <li key={`${checker} ${receipt}`} class="attestation">
            <span class="grow mono">{checker}</span>
            <span>{verdict}, level {level}, {countOf(steps.length, "step")}</span>
            <span class="faint small">{timeOf(at)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
