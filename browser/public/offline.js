// Keeps the page itself on this machine, so that what was checked can be looked at offline. Models
// and onnxruntime are not kept here: they are large, and the worker stores weights by itself.
const CACHE = "stepwise-page-1";
const OWN = /^\/($|index\.html$|assets\/|icon\.svg$)/;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (OWN.test(url.pathname)) event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
