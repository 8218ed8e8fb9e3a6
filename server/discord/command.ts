import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { addConfigOption, wholeFlag } from "../cli/mod.ts";
import { listen } from "../http/mod.ts";
import { stopped } from "../runtime/mod.ts";
import { Safety } from "../safety/mod.ts";
import { startLog } from "../telemetry/mod.ts";
import { discordApp, INTERACTIONS } from "./app.ts";
import { DISCORD_FILES } from "./attachments.ts";
import { ANSWER_MS, Bot } from "./bot.ts";
import { ButtonIds } from "./button_id.ts";
import { ContentService } from "./content_service.ts";
import { ImageService } from "./image_service.ts";
import { InteractionGuard } from "./interaction_guard.ts";
import { DiscordRest } from "./rest.ts";
import { slept } from "./slept.ts";
import { SLASH_COMMANDS } from "./slash_commands.ts";

interface DiscordFlags {
  readonly "discord.application"?: string;
  readonly "discord.publicKey"?: string;
  readonly "discord.token"?: string;
  readonly "discord.guild"?: string;
  readonly "discord.api": string;
  readonly "gateway.url": string;
  readonly "gateway.token"?: string;
  readonly "content.url"?: string;
  readonly "content.token"?: string;
  readonly pages?: string;
  readonly port: string;
  readonly perHour: string;
  readonly atOnce: string;
  readonly register: boolean;
}

const API = "https://discord.com/api/v10";
/** Milliseconds from one preview to the next: Discord takes five edits of a message in five seconds. */
const PREVIEW_MS = 2500;

const HELP = `
How to set it up:
  1. At https://discord.com/developers/applications make an application, and copy its
     application id and public key; under Bot reset its token, and copy that.
  2. On the validator: deno task keys new bottensor --nsfw block
     (without --nsfw its own policy holds in channels for adults).
  3. Set STEPWISE_DISCORD_APPLICATION, STEPWISE_DISCORD_PUBLIC_KEY and STEPWISE_GATEWAY_TOKEN,
     and start this: deno task discord --gateway.url http://127.0.0.1:8092
  4. Have a reverse proxy with a certificate pass /interactions on to it; in nginx:
       location = /interactions { proxy_pass http://127.0.0.1:8096; }
  5. On the application's page set "Interactions Endpoint URL" to
     https://your.name/interactions: Discord saves it once this answers.
  6. STEPWISE_DISCORD_TOKEN=... deno task discord --register
     tells Discord of the commands: once, and after updates. The token is for this alone.
  7. Add it to a server: https://discord.com/oauth2/authorize?client_id=APPLICATION_ID
     &scope=applications.commands

Interactions over HTTP are all that it uses: it holds no connection to Discord's gateway,
is shown as offline, and reads no messages.
`;

export function discordCommand(): Command {
  return addConfigOption(new Command("discord"))
    .description("Bottensor: a Discord bot that makes, remixes, checks and publishes images.")
    .addHelpText("after", HELP)
    .optionsGroup("At Discord:")
    .option("--discord.application <id>", "the application's id")
    .option("--discord.public-key <hex>", "its public key, by which interactions are signed")
    .option("--register", "tell Discord of the commands, and end", false)
    .option("--discord.token <token>", "of its bot, for --register; by STEPWISE_DISCORD_TOKEN")
    .option("--discord.guild <id>", "register them in one server alone, where they are at once")
    .option("--discord.api <url>", "of Discord", API)
    .optionsGroup("Behind it:")
    .option(
      "--gateway.url <url>",
      "of a validator, which makes the images",
      "http://127.0.0.1:8092",
    )
    .option("--gateway.token <key>", "an API key of it; by STEPWISE_GATEWAY_TOKEN")
    .option("--content.url <url>", "of deno task content serve: for /top, and the button Publish")
    .option("--content.token <key>", "an API key that may publish there (default: the gateway's)")
    .option("--pages <url>", "where people reach the pages, for links to check an image")
    .optionsGroup("Here:")
    .option("--port <n>", "of 127.0.0.1", "8096")
    .option("--per-hour <n>", "images of one person in an hour", "20")
    .option("--at-once <n>", "images of one person at once", "2")
    .action(start);
}

async function start(flags: DiscordFlags): Promise<void> {
  const application = needed(flags, "discord.application");
  if (!/^\d{1,20}$/.test(application)) {
    throw new AppError(
      "invalid_request",
      `Cannot start: --discord.application is ${application}, not its id, a number`,
    );
  }
  const api = flags["discord.api"].replace(/\/+$/, "");
  const rest = new DiscordRest({ api, application, sleep: slept });
  if (!flags.register) return await serve(flags, application, rest);
  await rest.register(needed(flags, "discord.token"), SLASH_COMMANDS, flags["discord.guild"]);
  console.log(`Registered: ${SLASH_COMMANDS.map(({ name }) => `/${name}`).join(", ")}`);
}

async function serve(flags: DiscordFlags, application: string, rest: DiscordRest): Promise<void> {
  const key = needed(flags, "gateway.token");
  const guard = await InteractionGuard.open(needed(flags, "discord.public-key"), Date.now);
  const log = startLog();
  await using stack = new AsyncDisposableStack();
  const { "content.url": content, "content.token": contentKey = key } = flags;
  const bot = new Bot({
    ...{ rest, log, pages: flags.pages, fileOrigins: DISCORD_FILES },
    ...{ previewMs: PREVIEW_MS, answerMs: ANSWER_MS, ids: new ButtonIds(key) },
    images: new ImageService({ url: flags["gateway.url"], key }, slept),
    content: content === undefined
      ? undefined
      : new ContentService({ url: content, key: contentKey }),
    safety: stack.use(new Safety()),
    limits: {
      perHour: wholeFlag("--per-hour", flags.perHour, 1, 100_000),
      atOnce: wholeFlag("--at-once", flags.atOnce, 1, 1000),
      now: Date.now,
    },
  });
  stack.use(bot);
  const app = discordApp({ guard, bot, application, log: (error) => console.error(error) });
  const port = wholeFlag("--port", flags.port, 0, 65535);
  const server = await listen({ hostname: "127.0.0.1", port }, (request) => app.fetch(request));
  stack.defer(() => server.shutdown());
  console.log(`Interactions at http://127.0.0.1:${server.addr.port}${INTERACTIONS}`);
  await stopped();
}

/** @throws AppError `invalid_request` naming the flag and its variable. */
function needed(flags: DiscordFlags, name: string): string {
  const attribute = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const value = flags[attribute as keyof DiscordFlags];
  if (typeof value === "string" && value !== "") return value;
  const variable = `STEPWISE_${name.replaceAll(/[.-]/g, "_").toUpperCase()}`;
  throw new AppError("invalid_request", `Cannot start: --${name} (or ${variable}) is missing`);
}
