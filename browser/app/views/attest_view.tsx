import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Attestation, SignedAttestation } from "../../../core/protocol/mod.ts";
import type { Report } from "../../../core/verifier/mod.ts";
import { answered, attempt, engine, problem } from "../state/mod.ts";
import { checkMinerUrl, countOf, timeOf } from "../api/mod.ts";

import type { StoredReceipt } from "../storage/mod.ts";
import { ProblemView } from "./problem_view.tsx";

const accounts = signal<readonly { readonly address: string; readonly name: string }[]>([]);
const signed = signal<SignedAttestation | undefined>(undefined);
/** The address typed; the receipt's own validator until then. */
const typed = signal<string | undefined>(undefined);

interface Props {
  readonly stored: StoredReceipt;
  readonly report: Report;
}

/** Signs the verdict with a wallet, for a validator or for a file; shows others' attestations. */
export function AttestView({ stored, report }: Props) {
  const [said, setSaid] = useState("");
  const [source, setSource] = useState(stored.link?.validator);
  const own = signed.value?.attestation.receipt === report.receipt ? signed.value : undefined;
  const act = (work: () => Promise<string>) =>
    attempt("attest", async () => {
      problem.value = undefined;
      setSaid("");
      setSaid(await work());
    });
  return (
    <>
      <p class="faint small">
        Your wallet signs the verdict; a validator stores it if your key is registered on its
        subnet.
      </p>
      {accounts.value.length === 0
        ? <button type="button" onClick={() => void act(findAccounts)}>Find my wallet</button>
        : (
          <form
            class="row"
            onSubmit={(event) => {
              event.preventDefault();
              const address = String(new FormData(event.currentTarget).get("account"));
              void act(() => sign(address, report));
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
      {own && (
        <form
          class="row"
          onSubmit={(event) => {
            event.preventDefault();
            const url = String(new FormData(event.currentTarget).get("validator"));
            void act(async () => {
              const validator = checkMinerUrl(url, location.href);
              await answered(engine.attest(validator, own));
              setSource(validator);
              return "The validator has it.";
            });
          }}
        >
          <a
            href={`data:application/json,${encodeURIComponent(JSON.stringify(own))}`}
            download={`attestation-${report.receipt.slice(0, 16)}.json`}
          >
            Download the attestation
          </a>
          <label>
            Validator's address{" "}
            <input
              type="url"
              name="validator"
              required
              value={typed.value ?? stored.link?.validator ?? ""}
              onInput={(event) => typed.value = event.currentTarget.value}
            />
          </label>
          <button type="submit">Send it</button>
        </form>
      )}
      <p role="status">{said}</p>
      <ProblemView at="attest" />
      {source !== undefined && (
        <Attestations key={`${source} ${said}`} validator={source} receipt={report.receipt} />
      )}
    </>
  );
}

/** What a validator has stored of a receipt. That the keys are registered is only the validator's claim. */
function Attestations(
  { validator, receipt }: { readonly validator: string; readonly receipt: string },
) {
  const [found, setFound] = useState<readonly SignedAttestation[]>([]);
  useEffect(
    () =>
      void attempt(
        "attest",
        async () => setFound(await answered(engine.attestations(validator, receipt))),
      ),
    [],
  );
  if (found.length === 0) return null;
  return (
    <>
      <h3>Attested at {new URL(validator).host}</h3>
      <ul class="list">
        {found.map(({ attestation: { checker, verdict, level, steps, at } }) => (
          <li key={checker} class="attestation">
            <span class="grow mono">{checker}</span>
            <span>{verdict}, level {level}, {countOf(steps.length, "step")}</span>
            <span class="faint small">{timeOf(at)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

async function findAccounts(): Promise<string> {
  const { web3Accounts, web3Enable } = await import("@polkadot/extension-dapp");
  const extensions = await web3Enable("Stepwise");
  if (extensions.length === 0) {
    throw new Error("Cannot sign: there is no wallet extension in this browser, or it said no.");
  }
  const found = await web3Accounts({ accountType: ["sr25519"], ss58Format: 42 });
  accounts.value = found.map(({ address, meta }) => ({ address, name: meta.name ?? "" }));
  if (found.length === 0) throw new Error("Cannot sign: the wallet has no sr25519 key.");
  return "";
}

async function sign(address: string, report: Report): Promise<string> {
  const [{ web3FromAddress }, { attestationMessage, checkAttestation }] = await Promise.all([
    import("@polkadot/extension-dapp"),
    import("../../../core/protocol/mod.ts"),
  ]);
  const attestation = attestationOf(report, address);
  const { signer: { signRaw } } = await web3FromAddress(address);
  if (!signRaw) throw new Error("Cannot sign: the wallet signs transactions alone.");
  const data = `0x${
    Array.from(attestationMessage(attestation), (byte) => byte.toString(16).padStart(2, "0"))
      .join("")
  }` as const;
  const { signature } = await signRaw({ address, data, type: "bytes" });
  const own = { attestation, signature };
  try {
    checkAttestation(own);
  } catch (cause) {
    throw new Error("Cannot use what the wallet sent: it is no signature of this key", { cause });
  }
  signed.value = own;
  return "Signed.";
}

function attestationOf(report: Report, checker: string): Attestation {
  const { receipt, verdict, level, opened, similarity, worst } = report;
  return {
    ...{ version: 1, receipt, verdict, level, steps: [...opened], at: Date.now(), checker },
    ...(similarity !== undefined && { similarity }),
    ...(worst !== undefined && Number.isFinite(worst) && { worst }),
  };
}
