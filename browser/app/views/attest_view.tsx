import { signal } from "@preact/signals";
import type { Attestation, SignedAttestation } from "../../../core/protocol/mod.ts";
import type { Report } from "../../../core/verify/mod.ts";
import { checkMinerUrl } from "../miner_url.ts";
import { tell } from "../state.ts";
import type { StoredReceipt } from "../storage/mod.ts";

const accounts = signal<readonly { readonly address: string; readonly name: string }[]>([]);
const said = signal("");
const signed = signal<SignedAttestation | undefined>(undefined);
const validator = signal("");

/** Signs the verdict with a wallet, for a validator or for a file. */
export function AttestView(
  { report }: { readonly stored: StoredReceipt; readonly report: Report },
) {
  return (
    <section>
      <h2>Attest</h2>
      <p class="faint small">
        Your wallet signs the verdict; a validator stores it if your key is registered on its
        subnet.
      </p>
      {accounts.value.length === 0
        ? <button type="button" onClick={() => void tell(findAccounts)}>Find my wallet</button>
        : (
          <form
            class="row"
            onSubmit={(event) => {
              event.preventDefault();
              const address = String(new FormData(event.currentTarget).get("account"));
              void tell(() => sign(address, report));
            }}
          >
            <label>
              As{" "}
              <select name="account">
                {accounts.value.map(({ address, name }) => (
                  <option key={address} value={address}>{name} {address.slice(0, 8)}...</option>
                ))}
              </select>
            </label>
            <button type="submit" class="main">Sign the verdict</button>
          </form>
        )}
      {signed.value?.attestation.receipt === report.receipt && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            void tell(send);
          }}
        >
          <a
            href={`data:application/json,${encodeURIComponent(JSON.stringify(signed.value))}`}
            download={`attestation-${report.receipt.slice(0, 16)}.json`}
          >
            Download the attestation
          </a>
          <label>
            Validator's address{" "}
            <input
              type="url"
              required
              value={validator.value}
              onInput={(event) => validator.value = event.currentTarget.value}
            />
          </label>
          <button type="submit">Send it</button>
        </form>
      )}
      <p role="status">{said.value}</p>
    </section>
  );
}

async function findAccounts(): Promise<void> {
  const { web3Accounts, web3Enable } = await import("@polkadot/extension-dapp");
  const extensions = await web3Enable("Stepwise");
  if (extensions.length === 0) {
    throw new Error("Cannot sign: there is no wallet extension in this browser, or it said no.");
  }
  const found = await web3Accounts({ accountType: ["sr25519"], ss58Format: 42 });
  accounts.value = found.map(({ address, meta }) => ({ address, name: meta.name ?? "" }));
  if (found.length === 0) throw new Error("Cannot sign: the wallet has no sr25519 key.");
}

async function sign(address: string, report: Report): Promise<void> {
  const [{ web3FromAddress }, { attestationMessage }] = await Promise.all([
    import("@polkadot/extension-dapp"),
    import("../../../core/protocol/mod.ts"),
  ]);
  const attestation: Attestation = {
    version: 1,
    receipt: report.receipt,
    verdict: report.verdict,
    level: report.level,
    steps: [...report.opened],
    ...(report.similarity !== undefined && { similarity: report.similarity }),
    ...(report.worst !== undefined && Number.isFinite(report.worst) && { worst: report.worst }),
    at: Date.now(),
    checker: address,
  };
  const { signer: { signRaw } } = await web3FromAddress(address);
  if (!signRaw) throw new Error("Cannot sign: the wallet signs transactions alone.");
  const data = `0x${
    Array.from(attestationMessage(attestation), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    )
  }`;
  const { signature } = await signRaw({ address, data, type: "bytes" });
  signed.value = { attestation, signature };
  said.value = "Signed.";
}

async function send(): Promise<void> {
  const base = checkMinerUrl(validator.value, location.href);
  const response = await fetch(new URL("v1/attestations", base.endsWith("/") ? base : `${base}/`), {
    ...{ method: "POST", redirect: "error", credentials: "omit" },
    headers: { "content-type": "application/json" },
    body: JSON.stringify(signed.value),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  said.value = "The validator has it.";
}
