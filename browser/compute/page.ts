/**
 * The page that a driven Chrome loads: starts the worker, which talks to the host by itself. An
 * error of the worker is thrown here, where the host sees it.
 */
const token = new URLSearchParams(location.search).get("token") ?? "";
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: token });
worker.addEventListener("error", ({ message }) => {
  throw new Error(`The compute worker failed: ${message || "it did not load"}`);
});
