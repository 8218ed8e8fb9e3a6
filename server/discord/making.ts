import { AppError } from "../../core/error.ts";
import type { Screen } from "../safety/mod.ts";
import type { BotParts } from "./bot_parts.ts";
import type { Action } from "./button_id.ts";
import type { ServedJob, ServedProgress } from "./image_service.ts";
import type { Interaction } from "./interaction.ts";
import { buttonRow, escaped, message, type MessageBody } from "./messages.ts";
import type { Wanted } from "./orders.ts";
import type { MessageFile } from "./rest.ts";

type MakingParts = Pick<BotParts, "rest" | "images" | "ids" | "previewMs" | "limits"> & {
  /** Of the channel. */
  readonly screen: Screen;
  /** What can be done with the image. */
  readonly actions: readonly Action[];
};

/** Milliseconds for a preview to be shown: the image must not wait for it. */
const PREVIEW_CALL_MS = 5000;
/** Characters of an embed's text; escaped ones may be twice as many as were typed. */
const MAX_DESCRIPTION = 4096;
const FILE = "stepwise.png";

/** Has an image made, and shows it where it was asked for: first as it comes, then whole. */
export async function showMaking(
  interaction: Interaction,
  wanted: Wanted,
  parts: MakingParts,
  signal: AbortSignal,
): Promise<void> {
  const { images, rest, screen } = parts;
  // Waited for whatever happens: a job without its id could not be cancelled.
  const { id } = await images.start(wanted, interaction.id);
  try {
    signal.throwIfAborted();
    await showPreviews(interaction, id, parts, signal);
  } catch (error) {
    // Nobody waits for it any more.
    if (signal.aborted) await images.cancel(id).catch(() => {});
    throw error;
  }
  const [made, bytes] = await Promise.all([images.job(id, signal), images.image(id, signal)]);
  const notices = await screen.image(bytes);
  if (bytes.length > interaction.maxBytes) throw tooLarge(bytes.length);
  const body = imageMessage(interaction, made, notices, parts);
  await rest.edit(interaction.token, body, [{ name: FILE, type: "image/png", bytes }], { signal });
}

async function showPreviews(
  interaction: Interaction,
  id: string,
  parts: MakingParts,
  signal: AbortSignal,
): Promise<void> {
  let last = -Infinity;
  for await (const progress of parts.images.follow(id, signal)) {
    const now = parts.limits.now();
    if (now - last < parts.previewMs) continue;
    last = now;
    await showPreview(interaction, progress, parts, signal);
  }
}

/** One that cannot be shown is left out: the next comes soon. */
async function showPreview(
  { token }: Interaction,
  { step, steps, preview }: ServedProgress,
  { rest, screen }: MakingParts,
  signal: AbortSignal,
): Promise<void> {
  const file = await screened(preview, screen);
  const body = message(`Step ${step} of ${steps}`);
  const within = AbortSignal.any([signal, AbortSignal.timeout(PREVIEW_CALL_MS)]);
  await rest.edit(token, body, file ? [file] : [], { once: true, signal: within })
    .catch(() => signal.throwIfAborted());
}

/** @returns undefined for one that this channel must not see, and where nobody can say. */
async function screened(
  preview: string | undefined,
  screen: Screen,
): Promise<MessageFile | undefined> {
  const [head, format] = /^data:image\/(png|jpeg|webp);base64,/.exec(preview ?? "") ?? [];
  if (preview === undefined || head === undefined) return undefined;
  try {
    const bytes = Uint8Array.fromBase64(preview.slice(head.length));
    await screen.image(bytes);
    return { name: `preview.${format}`, type: `image/${format}`, bytes };
  } catch {
    return undefined;
  }
}

function imageMessage(
  { user }: Interaction,
  { id: job, images: [image] }: ServedJob,
  notices: readonly string[],
  { ids, actions }: MakingParts,
): MessageBody {
  const { width, height, steps, seed, verdict, receipt } = image;
  const said = [...new Set([...image.notices ?? [], ...notices])];
  const facts = [`${width}x${height}`, `${steps} steps`, `seed ${seed}`];
  if (verdict) facts.push(`checked: ${verdict}`);
  const prompt = escaped(String(receipt?.request.prompt ?? ""));
  return {
    ...message(said.join("\n")),
    embeds: [{
      description: prompt.slice(0, MAX_DESCRIPTION),
      image: { url: `attachment://${FILE}` },
      footer: { text: facts.join(", ") },
    }],
    components: [buttonRow(ids, { job, user }, actions)],
  };
}

function tooLarge(bytes: number): AppError {
  const megabytes = (bytes / 2 ** 20).toFixed(1);
  return new AppError(
    "request_too_large",
    `Cannot show the image: it has ${megabytes} MB, more than this server takes; ask for a smaller one`,
  );
}
