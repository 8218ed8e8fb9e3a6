import { Command } from "commander";
import { stopped } from "../runtime/mod.ts";
import { wholeFlag } from "../cli/mod.ts";
import { ChromeServer } from "../compute/mod.ts";

export function pageCommand(): Command {
  return new Command("page")
    .description("Serve the bench page, to run it in your own browser.")
    .option("--port <n>", "of 127.0.0.1; 0 for any that is free", "0")
    .action(page);
}

async function page(flags: { readonly port: string }): Promise<void> {
  const port = wholeFlag("--port", flags.port, 0, 65_535);
  await using server = await ChromeServer.start({ page: "bench.html", port });
  console.log(`The bench page is at ${server.url} until Ctrl-C; deno task web has the others`);
  await stopped();
}
