/** One route, as its document has it. */
export interface RouteDoc {
  readonly method: "get" | "post" | "delete";
  /** With parameters after colons. */
  readonly path: string;
  /** Names of what may follow the path's question mark. */
  readonly query?: readonly string[];
  readonly summary: string;
  /** Who may call: anybody; with a signature of Epistula's version 2; with a bearer; or either. */
  readonly auth: "open" | "signed" | "bearer" | "basic" | "signed or bearer";
  /** Schema of the body. */
  readonly body?: string;
  /** Whether files may come beside it, each named by its SHA-256. */
  readonly files?: boolean;
  /** Schema of a JSON answer, or the media types of another. */
  readonly answer: string | readonly string[];
  /** Media types that it answers with as well, where the header `accept` prefers them. */
  readonly preferred?: readonly string[];
  /** Of what is done; 200 without it. */
  readonly status?: number;
  /** Other statuses that it may answer. */
  readonly errors: readonly number[];
}

const SIGNED = [
  "Epistula-Version",
  "Epistula-Timestamp",
  "Epistula-Uuid",
  "Epistula-Signed-By",
  "Epistula-Signed-For",
  "Epistula-Request-Signature",
];

const SECURITY: Readonly<Record<RouteDoc["auth"], readonly unknown[]>> = {
  open: [],
  signed: [{ epistula: [] }],
  bearer: [{ bearer: [] }],
  basic: [{ basic: [] }, { bearer: [] }],
  "signed or bearer": [{ epistula: [] }, { bearer: [] }],
};

const REASONS: Readonly<Record<number, string>> = {
  400: "Something of the request is wrong; the message names it",
  401: "Not signed, too old, used before, or the signature is another's",
  403: "The caller may not",
  404: "There is no such thing, or no more",
  406: "None of the media types that are accepted",
  408: "The body was too slow",
  409: "It was cancelled, or used before for another call",
  413: "The body is too large",
  429: "No room now; Retry-After says when",
  503: "Not now; Retry-After says when",
};

/** An OpenAPI 3.1 document of these routes. */
export function openApi(
  info: { readonly title: string; readonly version: string; readonly description: string },
  schemas: Readonly<Record<string, unknown>>,
  routes: readonly RouteDoc[],
): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    (paths[route.path.replaceAll(/:(\w+)/g, "{$1}")] ??= {})[route.method] = operationOf(route);
  }
  return {
    openapi: "3.1.0",
    info,
    paths,
    components: {
      schemas,
      securitySchemes: {
        epistula: {
          type: "apiKey",
          in: "header",
          name: "Epistula-Request-Signature",
          description: "sr25519 over sha256hex(body).uuid.timestamp.signedFor, with the headers " +
            SIGNED.join(", "),
        },
        bearer: { type: "http", scheme: "bearer" },
        basic: { type: "http", scheme: "basic", description: "The password is an API key" },
      },
    },
  };
}

function operationOf(route: RouteDoc): unknown {
  const { summary, path, query = [], auth, body, files: given, answer, preferred = [] } = route;
  const { errors, status = 200 } = route;
  const schema = { type: "string" };
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)]
      .map(([, name]) => ({ name, in: "path", required: true, schema })),
    ...query.map((name) => ({ name, in: "query", schema })),
  ];
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    security: SECURITY[auth],
    ...(body && {
      requestBody: { required: true, content: { ...json(body), ...(given && form(body)) } },
    }),
    responses: {
      [status]: {
        description: status === 202 ? "Accepted" : "Done",
        content: typeof answer === "string"
          ? { ...json(answer), ...files(preferred) }
          : files(answer),
      },
      ...Object.fromEntries(
        errors.map((status) => [status, { description: REASONS[status], content: json("Error") }]),
      ),
    },
  };
}

function files(types: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(types.map((type) => [type, {}]));
}

/** The call as the part \`request\`, and each file as a part whose name is its SHA-256. */
function form(schema: string): Record<string, unknown> {
  const file = { type: "string", format: "binary" };
  return {
    "multipart/form-data": {
      schema: {
        type: "object",
        required: ["request"],
        properties: { request: { $ref: `#/components/schemas/${schema}` } },
        additionalProperties: file,
      },
    },
  };
}

function json(schema: string): Record<string, unknown> {
  return { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } };
}
