import { Command } from "commander";
import { Progress } from "../cli/mod.ts";
import { openModel, removeCached } from "../models/mod.ts";
import { runPartCommand } from "../parts/mod.ts";
import { infoOf } from "./info.ts";
import { infoText } from "./info_text.ts";
import { byteSize } from "./quantity.ts";
import { readShelf, shelfText } from "./shelf.ts";
import { verifySource } from "./verify_source.ts";

const SOURCE =
  "embedded, a name of `models list`, a folder, a file, hf:owner/name[/file][@revision], " +
  "or an address";

export function modelsCommand(): Command {
  return new Command("models")
    .description("What models there are, and what is in the cache.")
    .addCommand(listCommand())
    .addCommand(infoCommand())
    .addCommand(pullCommand())
    .addCommand(verifyCommand())
    .addCommand(removeCommand())
    .addCommand(runPartCommand());
}

function listCommand(): Command {
  return new Command("list")
    .description("The models that are known by a name, and those in the cache.")
    .option("--json", "print all that is known of them as JSON", false)
    .action(async ({ json }) => {
      const shelf = await readShelf();
      console.log(json ? JSON.stringify(shelf) : shelfText(shelf));
    });
}

function infoCommand(): Command {
  return new Command("info")
    .description("What a model is made of and needs, by its headers: no weights are fetched.")
    .argument("<source>", SOURCE)
    .option("--variant <name>", "weights to prefer where the model has them, such as fp16")
    .option("--configs <folder>", "config.json of parts, of a checkpoint in one file")
    .option("--json", "print it as JSON", false)
    .action(async (source: string, { json, ...options }: InfoFlags) => {
      const info = await infoOf(source, options);
      console.log(json ? JSON.stringify(info) : infoText(info));
    });
}

interface InfoFlags {
  readonly variant?: string;
  readonly configs?: string;
  readonly json: boolean;
}

function pullCommand(): Command {
  return new Command("pull")
    .description("Fetch a model into the cache, as the first use of it does.")
    .argument("<source>", SOURCE)
    .option("--variant <name>", "weights to prefer where the model has them, such as fp16")
    .action(pull);
}

async function pull(source: string, { variant }: { readonly variant?: string }): Promise<void> {
  using progress = new Progress({ quiet: false });
  const files = await openModel(source, {
    variant,
    onProgress: (event) => progress.model(event),
  });
  const bytes = files.paths
    .filter((path) => !files.derived?.includes(path))
    .reduce((sum, path) => sum + files.size(path), 0);
  console.log(`${files.name}: ${byteSize(bytes)} in ${files.location}`);
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("Hash a model's files, and compare them with what is known of them.")
    .argument("<source>", SOURCE)
    .action(async (source: string) => console.log(await verifySource(source)));
}

function removeCommand(): Command {
  return new Command("remove")
    .description("Remove a model from the cache; folders and files of yours are never touched.")
    .argument("<source>", SOURCE)
    .action(async (source: string) => {
      const { model, bytes, folder } = await removeCached(source);
      console.log(`Removed ${model} from ${folder}: ${byteSize(bytes)} freed`);
    });
}
