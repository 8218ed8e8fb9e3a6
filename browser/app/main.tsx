import { type FunctionComponent, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Page } from "./api/mod.ts";
import { route, start } from "./state/mod.ts";
import { AboutView } from "./views/about_view.tsx";
import { VerifyView } from "./views/verify_view.tsx";
import { ZoomDialog } from "./views/zoom.tsx";

const ROOMS = [["create", "Create"], ["verify", "Verify"], ["explore", "Explore"]] as const;
/** What is about the rooms. */
const ABOUT = [["strength", "How strong is this?"], ["browser", "This browser"]] as const;

function App() {
  const shown = [...ROOMS, ...ABOUT].find(([name]) => name === route.value)?.[1];
  useEffect(() => void (document.title = `${shown} - Stepwise`), [shown]);
  return (
    <>
      <header class="top">
        <h1>
          <a href="#/verify">Stepwise</a>
        </h1>
        <Links of={ROOMS} label="Rooms" />
      </header>
      <main>
        <Shown page={route.value} />
      </main>
      <footer class="small">
        <Links of={ABOUT} label="About" />
        <span class="faint">Any single diffusion step, checked in this tab.</span>
      </footer>
      <ZoomDialog />
    </>
  );
}

function Links({ of, label }: {
  readonly of: readonly (readonly [Page, string])[];
  readonly label: string;
}) {
  return (
    <nav aria-label={label}>
      {of.map(([name, text]) => (
        <a
          key={name}
          href={`#/${name}`}
          aria-current={route.value === name ? "page" : undefined}
        >
          {text}
        </a>
      ))}
    </nav>
  );
}

function Shown({ page }: { readonly page: Page }) {
  switch (page) {
    case "create":
      return <Fetched view={createView} />;
    case "verify":
      return <VerifyView />;
    case "explore":
      return <Fetched view={exploreView} />;
    case "strength":
      return <Fetched view={strengthView} />;
    case "browser":
      return <AboutView />;
    default:
      return page satisfies never;
  }
}

type Fetching = () => Promise<FunctionComponent>;

const createView: Fetching = async () => (await import("./create/mod.ts")).CreateView;
const exploreView: Fetching = async () => (await import("./explore/mod.ts")).ExploreView;
const strengthView: Fetching = async () => (await import("./views/strength_view.tsx")).StrengthView;

/** A page whose script is fetched when it is asked for. */
function Fetched({ view }: { readonly view: Fetching }) {
  const [shown, setShown] = useState<{ readonly of: Fetching; readonly View: FunctionComponent }>();
  useEffect(() => void view().then((View) => setShown({ of: view, View })), [view]);
  return shown?.of === view ? <shown.View /> : <section role="status">Fetching it...</section>;
}

const place = document.getElementById("app");
if (place) render(<App />, place);
void start();
if ("serviceWorker" in navigator && !import.meta.hot) {
  // What was checked can be looked at offline; without it everything else works.
  navigator.serviceWorker.register("./offline.js").catch(() => {});
}
