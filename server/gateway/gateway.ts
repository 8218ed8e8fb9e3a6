import { join } from "node:path";
import type { MiddlewareHandler } from "hono";
import type { GenerationRequest } from "../../core/request/mod.ts";
import type { Route } from "../http/mod.ts";
import type { Screen } from "../safety/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import { CallPictures } from "./files/mod.ts";
import { Jobs, type JobsOptions, type Make, Room } from "./jobs/mod.ts";
import { a1111Routes, type NamedLora } from "./a1111/mod.ts";
import { type McpParts, mcpRoutes } from "./mcp/mod.ts";
import { KeyFile, Keys } from "./keys/mod.ts";
import {
  Bodies,
  type GatewayModel,
  type GatewayParts,
  jobCallSchema,
  jobJson,
  jobSchemas,
  jobsRoutes,
  Links,
  usageRoute,
  usageSchema,
} from "./routes/mod.ts";
import { OPENAI_SCHEMAS, openAiCallSchema, openAiRoutes } from "./openai/mod.ts";
import { type ApiKey, gatewayFile, GatewayStore, type Job } from "./store/mod.ts";
import { type WebhookOptions, Webhooks } from "./webhooks/mod.ts";

const OBJECT = { type: "object" };

/** What a gateway is opened with. */
export interface GatewayOptions {
  /** Of all that it must not lose. */
  readonly folder: string;
  readonly make: Make;
  /** Of one image, in images of the model's default. */
  readonly work: (request: GenerationRequest) => number;
  readonly model: GatewayModel;
  /** What looks at a key's prompts and images; without it nobody does. */
  readonly screen?: (key: ApiKey) => Screen;
  /** What looks at pictures of calls; by default a thread of its own. */
  readonly pictures?: GatewayParts["pictures"];
  readonly jobs: JobsOptions;
  readonly webhooks: WebhookOptions;
  /** A file of keys, which are kept with the others. */
  readonly keyFile?: string;
  /** Of a key that has no limit of its own. */
  readonly requestsPerMinute: number;
  readonly clients: ClientOptions;
  readonly log: Log;
}

/** What the interfaces of other programs need besides. */
export interface ClientOptions {
  /** Of this program. */
  readonly version: string;
  /** LoRAs that prompts may name, where AUTOMATIC1111's interface is served. */
  readonly a1111?: { readonly loras: readonly NamedLora[] };
  /** Where an image came from, and whether that holds; without it agents are not told. */
  readonly verify?: McpParts["verify"];
}

/** The door for applications, with all that is behind it. */
export interface Gateway extends AsyncDisposable {
  /** What its interfaces are served with. */
  readonly parts: GatewayParts;
  readonly store: GatewayStore;
  /** @param before what every request passes first, such as CORS. */
  routes(before?: readonly MiddlewareHandler[]): Route[];
  /** JSON Schemas by the names that the routes have for them. */
  readonly schemas: Readonly<Record<string, unknown>>;
  /** Forgets what is no longer kept. */
  sweep(): Promise<void>;
  /** Begins nothing more, and ends what watches: a server that stops waits for its answers. */
  stop(): void;
}

/** Opens the gateway of a folder, and takes up the jobs that were accepted before. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  const { folder, work, model, log, requestsPerMinute, screen = () => NOBODY_LOOKS } = options;
  const store = stack.use(new GatewayStore(gatewayFile(folder)));
  const file = new KeyFile(options.keyFile, store.keys, log);
  const keys = new Keys({ store, file, requestsPerMinute });
  const room = new Room(store);
  const links = new Links(store.secret, store.now);
  const shown = (job: Job) => jobJson(job, { jobs, links });
  const webhooks = stack.use(new Webhooks({ store, shown, options: options.webhooks, log }));
  const make = screened(options.make, (owner) => screen(keys.byId(owner)));
  const jobs = stack.use(
    await Jobs.open({
      ...{ store, room, make, work, log, options: options.jobs, folder: join(folder, "jobs") },
      onEnd: ({ webhook }) => webhook === undefined ? undefined : webhooks.look(),
    }),
  );
  webhooks.look();
  const pictures = options.pictures ?? stack.use(new CallPictures());
  const bodies = new Bodies();
  const parts = { jobs, keys, room, bodies, store, model, screen, pictures };
  const failed = (error: unknown) => log("failed", { error: String(error) }, "error");
  const { version, verify, a1111 } = options.clients;
  const owned = stack.move();
  return {
    ...{ parts, store },
    routes: (before = []) => [
      ...jobsRoutes(parts, before),
      usageRoute(parts, before),
      ...openAiRoutes(parts, before, failed),
      ...mcpRoutes({ gateway: parts, version, verify, failed }, before),
      ...a1111
        ? a1111Routes({ gateway: parts, ...a1111, version, random: Math.random, failed }, before)
        : [],
    ],
    schemas: {
      ...{ JobCall: jobCallSchema(), ...jobSchemas(), Usage: usageSchema() },
      ...{ A1111: OBJECT, Mcp: OBJECT, ...OPENAI_SCHEMAS, OpenAiCall: openAiCallSchema() },
    },
    sweep: () => jobs.sweep(),
    stop: () => jobs.stop(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const NOBODY_LOOKS: Screen = { request: () => [], image: () => Promise.resolve([]) };

/** What a policy does not let through is not shown, stored or counted. */
function screened(make: Make, screenOf: (owner: string) => Screen): Make {
  return async (request, format, making) => {
    const screen = screenOf(making.owner);
    const previews = making.previews && screen.previews !== false;
    const { image, record, shown } = await make(request, format, { ...making, previews });
    const notices = [...screen.request(request), ...await screen.image(image)];
    shown?.();
    return { image, record: { ...record, notices: [...record.notices, ...notices] } };
  };
}
