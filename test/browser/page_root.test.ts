import { expect, test } from "vitest";
import { pageRoot } from "../../browser/app/worker/page_root.ts";

test.each([
  ["http://127.0.0.1:8092/assets/worker-C1.js", "http://127.0.0.1:8092/"],
  ["https://host.example/some/prefix/assets/worker-C1.js", "https://host.example/some/prefix/"],
  ["http://localhost:5173/app/worker/worker.ts?worker_file&type=module", "http://localhost:5173/"],
])("the page of the worker %s is in %s", (worker, root) => expect(pageRoot(worker)).toBe(root));
