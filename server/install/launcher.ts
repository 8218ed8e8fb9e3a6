/** What a launcher starts, and with what. */
export interface Launch {
  /** The name that it is called by. */
  readonly name: string;
  /** A program and its first arguments; what the user types follows. */
  readonly command: readonly string[];
  /** Of variables that the user has not set; where somebody else may not write, they stay unset. */
  readonly folders: Readonly<Record<string, string>>;
}

/** Stands in every launcher: no other file is replaced or removed. */
export const MARK = 'Stepwise\'s command, written by its task "install"';

/** A script for `/bin/sh`. */
export function shellLauncher({ name, command, folders }: Launch): string {
  const defaults = Object.entries(folders).map(([variable, value]) =>
    `[ -n "$${variable}" ] || [ ! -w ${quoted(value)} ] || export ${variable}=${quoted(value)}`
  );
  return [
    "#!/bin/sh",
    `# ${MARK}; to remove it, remove this file.`,
    "unset INIT_CWD",
    ...defaults,
    `STEPWISE_COMMAND=${name} exec ${command.map(quoted).join(" ")} "$@"`,
    "",
  ].join("\n");
}

/** A batch file for Windows. */
export function windowsLauncher({ name, command, folders }: Launch): string {
  const defaults = Object.entries(folders).map(([variable, value]) =>
    `@if not defined ${variable} set "${variable}=${value}"`
  );
  return [
    "@setlocal",
    `@rem ${MARK}; to remove it, remove this file.`,
    "@set INIT_CWD=",
    ...defaults,
    `@set STEPWISE_COMMAND=${name}`,
    `@${command.map((part) => `"${part}"`).join(" ")} %*`,
    "",
  ].join("\r\n");
}

/** One word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
