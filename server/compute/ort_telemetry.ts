import process from "node:process";

/**
 * Switches onnxruntime's telemetry off, for this process and its children: onnxruntime-node keeps a
 * device id in the user's cache, logs into the temporary folder, and sends events to its vendor.
 * It reads the environment once, when it is loaded; and where a thread has an environment of its
 * own, at the process's, so both the thread and its creator call this.
 */
export function disableOrtTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = "1";
}
