import type { Context, Env, Hono, MiddlewareHandler } from "hono";
import type { RouteDoc } from "./openapi.ts";

/** One route of a server: how it is documented, and what answers it. */
export interface Route<Path extends string = string> extends RouteDoc {
  /** With parameters after colons, of `PATHS`. */
  readonly path: Path;
  /** What every request to the path passes first, whatever its method. */
  readonly before?: readonly MiddlewareHandler[];
  handle(context: Context<Env, Path>): Response | Promise<Response>;
}

/** A route whose handler knows its path's parameters. */
export function route<const Path extends string>(route: Route<Path>): Route {
  return route;
}

/** Serves the routes: what is documented is what is served. */
export function mount(app: Hono, routes: readonly Route[]): void {
  for (const { path, before = [] } of routes) {
    for (const middleware of before) app.use(path, middleware);
  }
  for (const { method, path, handle } of routes) app.on(method.toUpperCase(), path, handle);
}
