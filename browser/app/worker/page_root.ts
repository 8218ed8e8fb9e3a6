/**
 * The folder that the page was loaded from, which may be behind a prefix.
 * @param worker the address of this worker: once it is built in `assets/` of that folder, and while
 * the pages are worked on where its source is, in `app/worker/`.
 */
export function pageRoot(worker = self.location.href): string {
  return new URL(/\/assets\/[^/]+$/.test(worker) ? "../" : "../../", worker).href;
}
