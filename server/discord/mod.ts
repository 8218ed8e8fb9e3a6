/**
 * Bottensor, the Discord bot: interactions that Discord signs and sends over HTTP become jobs of a
 * gateway, which it asks over HTTP as any application does. What a button is for stands in the button,
 * and what it is about in the job: nothing is kept here.
 *
 * ```ts
 * import { discordCommand } from "./mod.ts";
 *
 * console.assert(discordCommand().helpInformation().includes("--register"));
 * ```
 */
export { discordCommand } from "./command.ts";
