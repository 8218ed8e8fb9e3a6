import { prepareChrome } from "./chrome.ts";
import { prepareDeploy } from "./deploy.ts";
import { prepareNats } from "./nats.ts";
import { prepareVulkan } from "./vulkan.ts";

/**
 * Finds or installs what the tests need: a Vulkan driver for Deno's WebGPU, Chrome, and
 * nats-server.
 * @returns environment variables for the tests' process.
 */
export async function prepareSystem(): Promise<Record<string, string>> {
  await prepareDeploy();
  const chrome = await prepareChrome();
  return { ...chrome, ...await prepareVulkan(), ...await prepareNats() };
}
