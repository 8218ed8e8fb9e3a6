import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { AppError } from "../../../core/error.ts";
import { errorFacts } from "../../../core/error_codes.ts";
import type { GatewayParts } from "../routes/mod.ts";
import type { ApiKey } from "../store/mod.ts";
import { type Caller, draw, type DrawnImage, imageBytes } from "./draw.ts";
import {
  type EditInput,
  editInput,
  type GenerateInput,
  generateInput,
  MAX_IMAGES,
  verifyInput,
} from "./tools.ts";

/** What is known of an image that somebody has. */
export interface VerifiedImage {
  /** One sentence, for people. */
  readonly summary: string;
  /** `unknown` where no receipt is of it. */
  readonly verdict: "honest" | "suspect" | "invalid" | "unchecked" | "unknown";
  readonly receipt?: string;
  /** Whether it is the very file, or a copy that looks the same. */
  readonly match?: "file" | "looks";
  readonly prompt?: string;
  readonly model?: string;
  readonly miner?: string;
  /** ISO 8601. */
  readonly made?: string;
}

/** What the tools are served with. */
export interface McpParts {
  readonly gateway: GatewayParts;
  readonly version: string;
  /** Where an image came from, and whether that holds; without it no tool says so. */
  readonly verify?: (file: Uint8Array<ArrayBuffer>) => Promise<VerifiedImage>;
  /** Called with our own mistakes. */
  readonly failed: (error: unknown) => void;
}

type Content =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly data: string; readonly mimeType: string };

/** What a tool gives back. */
interface ToolResult {
  readonly [other: string]: unknown;
  content: Content[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** What the SDK tells of a call, as far as it is used. */
interface Extra {
  readonly signal: AbortSignal;
  readonly _meta?: { readonly progressToken?: string | number };
  readonly sendNotification: (notification: {
    method: "notifications/progress";
    params: { progressToken: string | number; progress: number; total: number };
  }) => Promise<void>;
}

const READS = { readOnlyHint: true, openWorldHint: false };
const DRAWS = { readOnlyHint: false, destructiveHint: false, openWorldHint: true };

/** The tools, for one call of one key. */
export function mcpServer(parts: McpParts, owner: ApiKey): McpServer {
  const { gateway, version, verify } = parts;
  const server = new McpServer({ name: "stepwise", version });
  const toolCall = (work: () => Promise<ToolResult>) => orError(work, parts.failed);
  server.registerTool(
    "generate_image",
    {
      title: "Generate an image",
      description:
        `Makes up to ${MAX_IMAGES} images of a prompt. Each has a receipt by which anybody ` +
        "can check how it was made.",
      ...{ inputSchema: generateInput, annotations: DRAWS },
    },
    (input: GenerateInput, extra: Extra) =>
      toolCall(async () => shown(await draw(gateway, input, callerOf(owner, extra)))),
  );
  server.registerTool(
    "edit_image",
    {
      title: "Edit an image",
      description: "Draws an image anew, as a whole or where a mask is white, after a prompt.",
      ...{ inputSchema: editInput, annotations: DRAWS },
    },
    (input: EditInput, extra: Extra) =>
      toolCall(async () => shown(await draw(gateway, input, callerOf(owner, extra)))),
  );
  server.registerTool("list_models", {
    title: "List the models",
    description: "The models that images are made with, and what they make if nothing is said.",
    annotations: READS,
  }, () => toolCall(() => Promise.resolve(json({ models: modelsOf(gateway) }))));
  if (!verify) return server;
  server.registerTool(
    "verify_image",
    {
      title: "Verify an image",
      description:
        "Finds the receipt of an image, also of a scaled or re-encoded copy, and says what " +
        "made it and whether a check of its steps held.",
      ...{ inputSchema: verifyInput, annotations: READS },
    },
    ({ image }: { image: string }) =>
      toolCall(async () => {
        const file = imageBytes(image, "image");
        gateway.keys.take(owner);
        return json({ ...await verify(file) });
      }),
  );
  return server;
}

function callerOf(owner: ApiKey, extra: Extra): Caller {
  const progressToken = extra._meta?.progressToken;
  return {
    ...{ owner, signal: extra.signal },
    onProgress: (progress) => {
      if (progressToken === undefined) return;
      const params = { progressToken, progress, total: 1 };
      // Whoever went away hears nothing more.
      extra.sendNotification({ method: "notifications/progress", params }).catch(() => {});
    },
  };
}

function modelsOf({ model: { id, defaults } }: GatewayParts): unknown[] {
  return [{ id, ...defaults }];
}

function shown(images: readonly DrawnImage[]): ToolResult {
  const facts = images.map(({ file: _, ...rest }) => rest);
  const files = images.map(({ file }) =>
    ({ type: "image", data: file.toBase64(), mimeType: "image/png" }) as const
  );
  return { ...json({ images: facts }), content: [...files, ...json({ images: facts }).content] };
}

function json(value: Record<string, unknown>): ToolResult {
  return { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: value };
}

/** A tool's errors are answers that an agent reads; of our own mistakes it learns only that there was one. */
async function orError(
  work: () => Promise<ToolResult>,
  failed: (error: unknown) => void,
): Promise<ToolResult> {
  try {
    return await work();
  } catch (error) {
    const known = error instanceof AppError && errorFacts(error.code).status !== 500;
    if (!known) failed(error);
    const text = known
      ? `${error.message} (${error.code})`
      : "Cannot answer: something is wrong here";
    return { isError: true, content: [{ type: "text", text }] };
  }
}
