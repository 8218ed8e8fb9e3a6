/** Runs a program quietly. @returns whether it ended well; false also when it is not there. */
export async function succeeds(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<boolean> {
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Installs Debian packages where that is possible without asking: as root, with apt-get. */
export async function aptInstall(...packages: readonly string[]): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  if (!await succeeds("apt-get", ["--version"])) return false;
  console.log(`Installing ${packages.join(" and ")} by apt-get`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await succeeds("apt-get", ["update"], env);
  return await succeeds("apt-get", ["install", "-y", "--no-install-recommends", ...packages], env);
}
