import { Hono } from "hono";
import { errorResponse, parseJson } from "../http/mod.ts";
import type { Bot } from "./bot.ts";
import { decodeInteraction } from "./interaction.ts";
import type { InteractionGuard } from "./interaction_guard.ts";

/** Where Discord sends interactions to, below the address that it is given. */
export const INTERACTIONS = "/interactions";

/** The endpoint of an application: signed interactions in, answers out. */
export function discordApp(
  { guard, bot, application, log }: {
    readonly guard: InteractionGuard;
    readonly bot: Pick<Bot, "answer">;
    /** Discord's id of it. */
    readonly application: string;
    /** Of our own mistakes. */
    readonly log: (error: unknown) => void;
  },
): Hono {
  const app = new Hono();
  app.onError((error) => errorResponse(error, log));
  app.post(INTERACTIONS, async (context) => {
    const body = await guard.admit(context.req.raw);
    return context.json(bot.answer(decodeInteraction(parseJson(body), application)));
  });
  app.get("/healthz", (context) => context.text("ok"));
  return app;
}
