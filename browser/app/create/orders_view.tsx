import { closeOrder, type Order, type OrderImage, orders } from "./orders.ts";
import { PictureCanvas } from "../views/picture_canvas.tsx";

/** What is being made: each image as far as it is. */
export function OrdersView() {
  return <>{orders.value.map((order) => <OrderView key={order.key} of={order} />)}</>;
}

function OrderView({ of }: { readonly of: Order }) {
  const { order: { prompt }, by, images, status, problem } = of;
  const open = images.filter(({ state }) => state !== "made");
  return (
    <section class="making" aria-label={`Being made: ${prompt}`}>
      <p class="row">
        <span class="grow prompt" dir="auto">{prompt}</span>
        <span class="small faint" role="status">
          {problem ? "" : status || "It begins"}
          {by === undefined ? ", in this browser" : `, through ${new URL(by).host}`}
        </span>
        <Buttons of={of} />
      </p>
      <div role="alert">{problem !== undefined && <p class="bad">{problem}</p>}</div>
      {problem === undefined && (
        <div class="gallery">{open.map((image, k) => <Tile key={k} of={image} />)}</div>
      )}
    </section>
  );
}

function Buttons({ of: { key, problem, kept, cancel } }: { readonly of: Order }) {
  if (problem === undefined) return <button type="button" onClick={cancel}>Cancel</button>;
  if (!kept) return <button type="button" onClick={() => closeOrder(key)}>Close</button>;
  return (
    <>
      <button type="button" onClick={kept.tryAgain}>Try again</button>
      <button type="button" onClick={kept.giveUp}>Give up</button>
    </>
  );
}

function Tile({ of: { state, step, steps, preview } }: { readonly of: OrderImage }) {
  const label = "The image as far as it is";
  return (
    <div class="tile" data-state={state}>
      {typeof preview === "string"
        ? <img src={preview} alt={label} />
        : preview
        ? <PictureCanvas picture={preview} label={label} />
        : <span class="empty" />}
      <progress max={steps || 1} value={step} aria-label="Steps" />
    </div>
  );
}
