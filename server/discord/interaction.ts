import { z } from "zod";
import { AppError } from "../../core/error.ts";
import { issueSentence } from "../../core/json_decoding.ts";

/** @see https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object */
const PING = 1;
const [COMMAND, COMPONENT, MODAL] = [2, 3, 5];

/** Discord's ids are numbers of 64 bits, as text. */
const snowflake = z.string().regex(/^\d{1,20}$/);
const user = z.object({ id: snowflake });
const attachment = z.object({ filename: z.string(), size: z.number(), url: z.string() });
const option = z.object({
  name: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]).optional(),
});
const field = z.object({ custom_id: z.string(), value: z.string() });
const shape = z.object({
  id: snowflake,
  application_id: snowflake,
  type: z.int(),
  // It is part of an address.
  token: z.string().regex(/^[\w.-]{1,512}$/),
  member: z.object({ user }).optional(),
  user: user.optional(),
  channel: z.object({ nsfw: z.boolean().nullish() }).optional(),
  attachment_size_limit: z.number().optional(),
  data: z.object({
    name: z.string().optional(),
    custom_id: z.string().optional(),
    options: z.array(option).optional(),
    resolved: z.object({ attachments: z.record(z.string(), attachment).optional() }).optional(),
    components: z.array(z.object({ components: z.array(field).optional() })).optional(),
  }).optional(),
});

export type Attachment = z.infer<typeof attachment>;

/** What somebody did in Discord. */
export interface Interaction {
  readonly id: string;
  readonly kind: "ping" | "command" | "button" | "form";
  /** By which it is answered, for 15 minutes. A secret. */
  readonly token: string;
  /** Who did it. */
  readonly user: string;
  /** Whether the channel is marked as one for adults. Threads and direct messages are not. */
  readonly adult: boolean;
  /** Bytes of a file that may be sent there. */
  readonly maxBytes: number;
  /** The command's name, or the id of the button or form. */
  readonly name: string;
  /** Of a command, or the fields of a form. */
  readonly options: ReadonlyMap<string, string | number | boolean>;
  /** Files by the name of the option that they were given to. */
  readonly files: ReadonlyMap<string, Attachment>;
}

/** What a file may have everywhere. */
const MAX_FILE_BYTES = 10 * 2 ** 20;

/** @throws AppError `invalid_request` for what is none, or of another application. */
export function decodeInteraction(json: unknown, application: string): Interaction {
  const decoded = shape.safeParse(json);
  if (!decoded.success) refuse(issueSentence(decoded.error.issues[0], json));
  const { id, application_id: of, token, member, channel, data = {}, ...rest } = decoded.data;
  if (of !== application) refuse(`it is for the application ${of}, and this one is ${application}`);
  const user = (member?.user ?? rest.user)?.id;
  const kind = kindOf(rest.type);
  if (user === undefined && kind !== "ping") refuse("it does not say of whom it is");
  const given = data.options ?? [];
  const fields = data.components?.flatMap(({ components = [] }) => components) ?? [];
  const files = data.resolved?.attachments ?? {};
  return {
    ...{ id, kind, token, user: user ?? "", adult: channel?.nsfw === true },
    maxBytes: rest.attachment_size_limit ?? MAX_FILE_BYTES,
    name: (kind === "command" ? data.name : data.custom_id) ?? "",
    options: new Map([
      ...given.flatMap(({ name, value }) => value === undefined ? [] : [[name, value] as const]),
      ...fields.map(({ custom_id, value }) => [custom_id, value] as const),
    ]),
    files: new Map(given.flatMap(({ name, value }) => {
      const key = String(value);
      return Object.hasOwn(files, key) ? [[name, files[key]] as const] : [];
    })),
  };
}

function kindOf(type: number): Interaction["kind"] {
  if (type === PING) return "ping";
  if (type === COMMAND) return "command";
  if (type === COMPONENT) return "button";
  if (type === MODAL) return "form";
  return refuse(`its type is ${type}, which is none that is answered`);
}

function refuse(why: string): never {
  throw new AppError("invalid_request", `Cannot take the interaction: ${why}`);
}
