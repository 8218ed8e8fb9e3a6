import { Command } from "commander";
import { AppError } from "../../core/error.ts";
import { servePage } from "./page_server.ts";

export function pageCommand(): Command {
  return new Command("page")
    .description("Serve the bench page, to run it in a browser of one's own.")
    .option("--port <n>", "of 127.0.0.1; 0 for any that is free", "0")
    .action(page);
}

async function page({ port: text }: { readonly port: string }): Promise<void> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new AppError("invalid_request", `Cannot serve: --port is ${text}, not 0 to 65535`);
  }
  const { url } = await servePage(port);
  console.log(`The bench page is at ${url} until Ctrl-C`);
}
