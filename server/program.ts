import { Command, CommanderError, Help } from "commander";
import process from "node:process";
import { AppError } from "../core/error.ts";
import manifest from "../package.json" with { type: "json" };
import { asTyped, configCommand, programName, sentenceOf } from "./cli/mod.ts";

/** Each command is read only when it is asked for: one need not wait for another's libraries. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  generate: async () => (await import("./generate/mod.ts")).generateCommand(),
  verify: async () => (await import("./verify/mod.ts")).verifyCommand(),
  bench: async () => (await import("./bench/mod.ts")).benchCommand(),
  adversary: async () => (await import("./adversary/mod.ts")).adversaryCommand(),
  miner: async () => (await import("./miner/mod.ts")).minerCommand(),
  config: () => Promise.resolve(configCommand((name) => COMMANDS[name]?.())),
  status: async () => (await import("./status/mod.ts")).statusCommand(),
  worker: async () => (await import("./miner/mod.ts")).workerCommand(),
  backup: async () => (await import("./backup/mod.ts")).backupCommand(),
  restore: async () => (await import("./backup/mod.ts")).restoreCommand(),
  update: async () => (await import("./install/mod.ts")).updateCommand(),
  validator: async () => (await import("./validator/mod.ts")).validatorCommand(),
  keys: async () => (await import("./gateway/mod.ts")).keysCommand(),
  demo: async () => (await import("./demo/mod.ts")).demoCommand(),
  web: async () => (await import("./web/mod.ts")).webCommand(),
  build: async () => (await import("./web/mod.ts")).buildCommand(),
  devnet: async () => (await import("./chain/mod.ts")).devnetCommand(),
  wallet: async () => (await import("./chain/mod.ts")).walletCommand(),
  payout: async () => (await import("./payout/mod.ts")).payoutCommand(),
  content: async () => (await import("./content/mod.ts")).contentCommand(),
  discord: async () => (await import("./discord/mod.ts")).discordCommand(),
  install: async () => (await import("./install/mod.ts")).installCommand(),
  calibrate: async () => (await import("./calibrate/mod.ts")).calibrateCommand(),
  models: async () => (await import("./library/mod.ts")).modelsCommand(),
};

/** Terms of 40 characters leave a terminal of 80 too little for what is not wrapped by itself. */
const HELP: Partial<Help> = {
  minWidthToWrap: 20,
  /** What is not set, and quotes that nobody types, say nothing. */
  optionDescription: (option) =>
    new Help().optionDescription(option)
      .replace(/ \(default: (false|\[\])\)$/, "")
      .replace(/\((choices|default): [^()]*\)$/, (facts) => facts.replaceAll('"', "")),
};

/** A command and its own: they throw where they would end the process, and help alike. */
function settled(command: Command): Command {
  command.exitOverride().configureHelp(HELP).configureOutput({
    writeOut: (text) => void process.stdout.write(asTyped(text)),
  });
  command.commands.forEach(settled);
  return command;
}

/** 2: what was asked for cannot be done, and the message says why. 130: Ctrl-C. 1: our mistake. */
function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof AppError)) return 1;
  return error.code === "cancelled" ? 130 : 2;
}

async function programFor(name: string): Promise<Command> {
  const program = new Command(programName())
    .description("Stepwise: image generation whose every diffusion step anyone can check.")
    // Or else "bench loop --json" would be read as "bench --json <file>".
    .enablePositionalOptions()
    .version(manifest.version, "--version", "print the version");
  if (name === "--version") return settled(program);
  const wanted = Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]] : Object.values(COMMANDS);
  for (const load of wanted) program.addCommand(await load());
  return settled(program);
}

/**
 * Runs a command line to its end; what it says goes to the console.
 * @returns its exit code: 0, 1 for a mistake of ours or a check that failed, 2 for what cannot be
 * done, 130 for what was cancelled, or the command's own.
 * @param begin what comes first, and may fail like a command.
 */
export async function runProgram(args: readonly string[], begin = () => {}): Promise<number> {
  try {
    begin();
    const program = await programFor(args[0] ?? "");
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof AppError) console.error(asTyped(sentenceOf(error)));
    else if (!(error instanceof CommanderError)) console.error(error);
    return exitCodeOf(error);
  }
}
