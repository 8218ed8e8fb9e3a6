/**
 * The routes of miners and validators, once for both sides: servers mount these paths, clients
 * fill them in with {@link addressOf}. Names after a colon are parameters.
 */
export const PATHS = {
  info: "/v1/info",
  /** Of a miner. */
  generations: "/v1/generations",
  generation: "/v1/generations/:id",
  image: "/v1/generations/:id/image",
  step: "/v1/generations/:id/steps/:step",
  /** A file that the request named, by its hash. */
  input: "/v1/generations/:id/inputs/:sha256",
  /** Of a validator. */
  generate: "/v1/generate",
  score: "/v1/score",
  attestations: "/v1/attestations",
  history: "/v1/history",
  jobs: "/v1/jobs",
  job: "/v1/jobs/:id",
  jobEvents: "/v1/jobs/:id/events",
  jobImage: "/v1/jobs/:id/images/:n",
  usage: "/v1/usage",
  /** As OpenAI has them. */
  openAiImages: "/v1/images/generations",
  openAiEdits: "/v1/images/edits",
  openAiModels: "/v1/models",
  openAiModel: "/v1/models/:id",
  /** Of both. */
  receipts: "/v1/receipts",
  /** The same list, as a file of the pages that a server sends. */
  pageReceipts: "/receipts.json",
  metrics: "/metrics",
  healthz: "/healthz",
  readyz: "/readyz",
  openapi: "/openapi.json",
} as const;

/** Any of {@link PATHS}. */
export type Path = typeof PATHS[keyof typeof PATHS];

/** The names of a path's parameters. */
export type ParametersOf<Text extends string> = Text extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}` ? Name | ParametersOf<Tail> : Rest
  : never;

/** A value for each parameter of a path. */
export type Filled<Text extends string> = Readonly<Record<ParametersOf<Text>, string | number>>;

/**
 * The path with its parameters filled in, percent-encoded, from the leading slash on.
 *
 * ```ts
 * pathOf(PATHS.step, { id: "ab12", step: "end" }); // "/v1/generations/ab12/steps/end"
 * ```
 */
export function pathOf<Text extends Path>(path: Text, parameters: Filled<Text>): string {
  const values: Readonly<Record<string, string | number>> = parameters;
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name]));
}

/**
 * The whole address of a route.
 * @param base where the server is, with a path where it is behind one.
 */
export function addressOf<Text extends Path>(
  base: string | URL,
  path: Text,
  parameters: Filled<Text>,
): URL {
  const folder = String(base).replace(/\/*$/, "/");
  return new URL(pathOf(path, parameters).slice(1), folder);
}

/**
 * Reads an address backwards.
 * @returns where the server is, and the path's parameters; undefined for an address of other routes.
 * What lies below the path does not matter.
 */
export function routeAt<Text extends Path>(
  { origin, pathname }: URL,
  path: Text,
): { readonly base: string; readonly parameters: Readonly<Record<string, string>> } | undefined {
  const pattern = path.slice(1).replaceAll(/:(\w+)/g, "(?<$1>[^/]+)");
  const match = new RegExp(`^(.*/)${pattern}(?:/|$)`).exec(pathname);
  if (!match) return undefined;
  return { base: new URL(match[1], origin).href, parameters: match.groups ?? {} };
}
