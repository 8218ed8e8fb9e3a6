import { useState } from "preact/hooks";

/** Copies an address; where the browser does not let it, shows it. */
export function CopyLink({ to }: { readonly to: string }) {
  const [said, setSaid] = useState("");
  const address = new URL(to, location.href).href;
  const copy = () =>
    // Pages by plain http have no clipboard.
    Promise.resolve().then(() => navigator.clipboard.writeText(address))
      .then(() => setSaid("Copied."), () => setSaid(address));
  return (
    <>
      <button type="button" onClick={() => void copy()}>Copy link</button>
      <span role="status" class="small faint said">{said}</span>
    </>
  );
}
