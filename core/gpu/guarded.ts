import { AppError } from "../error.ts";

/**
 * Does GPU work whose errors WebGPU would only report to the console. The scopes are popped before
 * anything is awaited, so that concurrent callers never get each other's errors.
 * @param doing for the sentence: "compile step_f32".
 * @param undo gives back what the work made, when the device did not take it.
 * @throws AppError `gpu_failed` with the driver's words.
 */
export async function guarded<T>(
  device: GPUDevice,
  doing: string,
  work: () => T,
  undo: (made: T) => void = () => {},
): Promise<T> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const [result, ...errors] = await Promise.all([
    new Promise<T>((resolve) => resolve(work())),
    device.popErrorScope(),
    device.popErrorScope(),
  ]);
  const error = errors.find((found) => found !== null);
  if (!error) return result;
  undo(result);
  throw new AppError("gpu_failed", `Cannot ${doing}: ${error.message}`);
}
