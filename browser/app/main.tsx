import { type FunctionComponent, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { opening, route, start, subject } from "./state/mod.ts";
import { AboutView } from "./views/about_view.tsx";
import { Boundary } from "./views/boundary.tsx";
import { CheckView } from "./views/check_view.tsx";
import { GenerateView } from "./views/generate_view.tsx";
import { KeptView, OpenView } from "./views/open_view.tsx";
import { ZoomDialog } from "./views/zoom.tsx";

const PAGES = [
  ["check", "Check"],
  ["generate", "Generate"],
  ["strength", "How strong?"],
  ["browser", "This browser"],
] as const;

function App() {
  const shown = PAGES.find(([name]) => name === route.value)?.[1] ?? "Check";
  useEffect(() => void (document.title = `${shown} - Stepwise`), [shown]);
  // What the address leads to would push the list away under the reader's pointer.
  const awaited = opening.value === "address" && !subject.value;
  return (
    <>
      <header class="top">
        <h1>Stepwise</h1>
        <nav aria-label="Pages">
          {PAGES.map(([name, text]) => (
            <a
              key={name}
              href={`#/${name}`}
              aria-current={route.value === name ? "page" : undefined}
            >
              {text}
            </a>
          ))}
        </nav>
        <span class="faint small">any single diffusion step, checked in this tab</span>
      </header>
      <main>
        {route.value === "generate"
          ? <GenerateView />
          : route.value === "strength"
          ? <StrengthPage />
          : route.value === "browser"
          ? <AboutView />
          : (
            <>
              <OpenView />
              <Boundary key={subject.value?.id} what="the receipt">
                <CheckView />
              </Boundary>
              {!awaited && <KeptView />}
            </>
          )}
      </main>
      <ZoomDialog />
    </>
  );
}

/** Its figures are fetched when they are asked for. */
function StrengthPage() {
  const [View, setView] = useState<FunctionComponent>();
  useEffect(() => {
    void import("./views/strength_view.tsx").then((view) => setView(() => view.StrengthView));
  }, []);
  return View ? <View /> : <section role="status">Fetching it...</section>;
}

const place = document.getElementById("app");
if (place) render(<App />, place);
void start();
if ("serviceWorker" in navigator && !import.meta.hot) {
  // What was checked can be looked at offline; without it everything else works.
  navigator.serviceWorker.register("./offline.js").catch(() => {});
}
