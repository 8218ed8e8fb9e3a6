/**
 * What differs between JavaScript runtimes, and the only folder that names `Deno`: serving HTTP and
 * WebSockets, locking files, signals, and running a script of ours in another process. Deno's
 * authors will not develop it after October 2027; everything else uses web and `node:` interfaces,
 * which run on Node as well, so that a move to another runtime is a change of this folder.
 *
 * ```ts
 * import { serve } from "./mod.ts";
 *
 * const server = serve({ hostname: "127.0.0.1", port: 0 }, () => new Response("hello"));
 * const answer = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * console.assert(await answer.text() === "hello");
 * await server.shutdown();
 * ```
 */
export { type LockableFile, openLockable } from "./file_lock.ts";
export { type HttpServer, serve, upgradeToWebSocket } from "./serve.ts";
export {
  childCommand,
  runtimeVersion,
  scriptCommand,
  scriptFolders,
  snippetCommand,
} from "./scripts.ts";
export { stopped } from "./signals.ts";
