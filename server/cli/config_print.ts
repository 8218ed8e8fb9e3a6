import { Command } from "commander";
import { AppError } from "../../core/error.ts";

/** Where a value is from, as commander and `--config` name it. */
const SOURCES: Readonly<Record<string, string>> = {
  cli: "command line",
  env: "environment",
  config: "--config",
  default: "default",
};
const SECRET = /password|secret|token/;

/**
 * `config print miner [flags]`: what a command would run with, and where each value is from.
 * @param load a command by its name.
 */
export function configCommand(load: (name: string) => Promise<Command> | undefined): Command {
  const print = new Command("print")
    .description("What a command would run with, and where each of its settings is from.")
    .argument("<command>", "for example miner")
    .argument("[flags...]", "that it would be given")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (name: string, flags: readonly string[]) => {
      const command = await load(name);
      if (!command || command.commands.length > 0) {
        throw new AppError("invalid_request", `Cannot print: ${name} is no command with settings`);
      }
      command.exitOverride().action(() => console.log(settingsOf(command)));
      await command.parseAsync(flags, { from: "user" });
    });
  return new Command("config").description("Settings, and where they are from.")
    .enablePositionalOptions().addCommand(print);
}

/** A line a setting, in the order of the help; secrets are not shown. */
function settingsOf(command: Command): string {
  const rows = [...new Set(command.options.map((option) => option.attributeName()))].map((name) => {
    const value: unknown = command.getOptionValue(name);
    const source = SOURCES[command.getOptionValueSource(name) ?? ""] ?? "not set";
    // An address may hold a user and a password.
    const text = JSON.stringify(value)?.replaceAll(/\/\/[^@/"]*@/g, "//(not shown)@");
    const shown = value !== undefined && SECRET.test(name) ? "(not shown)" : text;
    return [name, shown ?? "", source];
  });
  const [names, values] = [0, 1].map((k) => Math.max(...rows.map((row) => row[k].length)));
  return rows.map(([name, value, source]) =>
    `${name.padEnd(names)}  ${value.padEnd(Math.min(values, 60))}  ${source}`
  ).join("\n");
}
