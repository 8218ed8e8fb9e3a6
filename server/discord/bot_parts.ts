import type { Safety } from "../safety/mod.ts";
import type { Log } from "../telemetry/mod.ts";
import type { ButtonIds } from "./button_id.ts";
import type { ContentService } from "./content_service.ts";
import type { ImageService } from "./image_service.ts";
import type { DiscordRest } from "./rest.ts";
import type { LimitOptions } from "./user_limits.ts";

/** What the bot needs. */
export interface BotParts {
  readonly rest: DiscordRest;
  readonly images: ImageService;
  /** Where pictures are published; undefined for nowhere. */
  readonly content: ContentService | undefined;
  readonly safety: Pick<Safety, "under">;
  readonly ids: ButtonIds;
  /** Where the pages are, as people reach them. */
  readonly pages: string | undefined;
  /** Where attached files may come from. */
  readonly fileOrigins: readonly string[];
  readonly limits: LimitOptions;
  /** Milliseconds from one preview to the next. */
  readonly previewMs: number;
  /** Milliseconds in which an interaction is answered: Discord takes nothing after 15 minutes. */
  readonly answerMs: number;
  readonly log: Log;
}
