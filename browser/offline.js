// Keeps the page itself on this machine, so that what was checked can be looked at offline. Models
// and onnxruntime are not kept here: they are large, and the worker stores weights by itself.
// The build puts `const ASSETS = [...]` before this, the names of its own files: a page that
// changed is a worker that changed, which on its activation deletes the files of older pages.
const CACHE = "stepwise-page-1";
/** The folder of the pages, which may be behind a prefix. */
const ROOT = new URL("./", self.location.href).href;
const OWN = /^($|index\.html$|assets\/|icon\.svg$|landing\.webp$)/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(prune().then(() => clients.claim())));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(ROOT)) return;
  if (OWN.test(nameOf(event.request.url))) event.respondWith(answer(event));
});

/** A file's name among the pages: `assets/index.js`. */
function nameOf(address) {
  const { origin, pathname } = new URL(address);
  return (origin + pathname).slice(ROOT.length);
}

/** From the network, and from this machine where there is none. */
async function answer(event) {
  try {
    const response = await fetch(event.request);
    if (response.ok) event.waitUntil(keep(event.request, response.clone()));
    return response;
  } catch (error) {
    const kept = await caches.match(event.request, { cacheName: CACHE, ignoreSearch: true })
      .catch(() => undefined);
    if (kept) return kept;
    throw error;
  }
}

/** Storage that is full or forbidden loses the copy, never the answer. */
async function keep(request, response) {
  try {
    await (await caches.open(CACHE)).put(request, response);
  } catch {
    // The page works without it.
  }
}

async function prune() {
  try {
    const cache = await caches.open(CACHE);
    for (const request of await cache.keys()) {
      const name = nameOf(request.url);
      if (!request.url.startsWith(ROOT)) continue;
      if (name.startsWith("assets/") && !ASSETS.includes(name)) await cache.delete(request);
    }
  } catch {
    // The page works without it.
  }
}
