import type { SubnetMiner } from "../api/mod.ts";

const HEAD = ["Miner", "Weight", "Incentive", "Images a second", "Similarity", "Checks", "Served"];

/** The miners, those that weigh most first. */
export function MinersView({ of }: { readonly of: readonly SubnetMiner[] }) {
  const ordered = of.toSorted((a, b) => (b.weight ?? 0) - (a.weight ?? 0) || a.uid - b.uid);
  return (
    <section>
      <h2>Miners</h2>
      {of.length === 0
        ? <p class="faint">No miner serves on this subnet yet.</p>
        : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Miners">
            <table>
              <thead>
                <tr>{HEAD.map((text) => <th key={text} scope="col">{text}</th>)}</tr>
              </thead>
              <tbody>{ordered.map((miner) => <Row key={miner.hotkey} of={miner} />)}</tbody>
            </table>
          </div>
        )}
    </section>
  );
}

function Row({ of }: { readonly of: SubnetMiner }) {
  return (
    <tr>
      <td>
        {of.uid} <span class="mono faint">{of.hotkey.slice(0, 8)}</span>
        {of.cheated && <span class="bad" title={of.why}>caught</span>}
      </td>
      <td>{percent(of.weight)}</td>
      <td>{percent(of.incentive)}</td>
      <td>{of.imagesPerSecond?.toFixed(2) ?? "-"}</td>
      <td>{of.similarity?.toFixed(5) ?? "-"}</td>
      <td>{of.checks}</td>
      <td>{of.served}</td>
    </tr>
  );
}

function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${(100 * share).toFixed(1)} %`;
}
