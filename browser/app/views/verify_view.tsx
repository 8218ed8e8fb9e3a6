import { opening, subject } from "../state/mod.ts";
import { Boundary } from "./boundary.tsx";
import { CheckView } from "./check_view.tsx";
import { LandingView } from "./landing_view.tsx";
import { OpenView } from "./open_view.tsx";
import { KeptView, OfferedView } from "./receipt_tiles.tsx";

/** From an image or a receipt to a verdict. */
export function VerifyView() {
  const looked = subject.value;
  // What the address leads to would push all below it away under the reader's pointer.
  const awaited = opening.value === "address" && !looked;
  return (
    <>
      {!looked && !awaited && <LandingView />}
      <Boundary key={looked?.id} what="the receipt">
        <CheckView />
      </Boundary>
      <OpenView />
      {!awaited && (
        <>
          <OfferedView />
          <KeptView />
        </>
      )}
    </>
  );
}
