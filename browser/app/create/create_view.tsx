import { useEffect } from "preact/hooks";
import { address } from "../state/mod.ts";
import { gallery, newest, readGallery } from "./gallery.ts";
import { orders, resumeJobs } from "./orders.ts";
import { parametersOf } from "../api/mod.ts";
import { Boundary } from "../views/boundary.tsx";
import { FormView } from "./form_view.tsx";
import { GalleryView } from "./gallery_view.tsx";
import { MadeView } from "./made_view.tsx";
import { OrdersView } from "./orders_view.tsx";
import { WhereView } from "./where_view.tsx";

let resumed = false;

/** From words to images, here or by the subnet's miners; what was made stays. */
export function CreateView() {
  useEffect(() => {
    void readGallery();
    if (!resumed) void resumeJobs();
    resumed = true;
  }, []);
  const chosen = parametersOf(address.value).get("image") ?? newest.value;
  const image = gallery.value?.find(({ id }) => id === chosen);
  return (
    <>
      <section>
        <h2>Make an image</h2>
        <WhereView />
        <FormView />
      </section>
      <OrdersView />
      {image && (
        <Boundary key={chosen} what="the image">
          <MadeView of={image} />
        </Boundary>
      )}
      <section>
        <h2>Your images</h2>
        <GalleryView chosen={chosen} />
        {gallery.value?.length === 0 && orders.value.length === 0 && (
          <p class="faint">
            What you make stays here, in this browser, each image with a receipt by which anybody
            can check how it was made.
          </p>
        )}
      </section>
    </>
  );
}
