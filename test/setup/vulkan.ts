import { aptInstall, succeeds } from "./command.ts";
import { npmChromium } from "../../server/compute/mod.ts";

const HAS_ADAPTER = "Deno.exit(await navigator.gpu?.requestAdapter() ? 0 : 1)";

/** A WebGPU adapter for Deno: a driver that is there, Mesa's on Debian, or SwiftShader from npm. */
export async function prepareVulkan(): Promise<Record<string, string>> {
  if (await hasAdapter({})) return {};
  if (await aptInstall("mesa-vulkan-drivers", "libvulkan1") && await hasAdapter({})) return {};
  const found = await npmChromium();
  const env = found &&
    { LD_LIBRARY_PATH: found.libraries, VK_ICD_FILENAMES: found.vulkanDriver };
  if (env && await hasAdapter(env)) {
    console.log("Vulkan for the tests: SwiftShader from npm (slow)");
    return env;
  }
  throw new Error(
    "Cannot find a WebGPU adapter for Deno: install a Vulkan driver " +
      "(mesa-vulkan-drivers on Debian and Ubuntu, vulkan-swrast on Arch)",
  );
}

/** Asked in a process of its own: drivers are looked up when a process first asks. */
async function hasAdapter(env: Record<string, string>): Promise<boolean> {
  return await succeeds(Deno.execPath(), ["eval", HAS_ADAPTER], env);
}
