import { AppError } from "../../core/error.ts";

/**
 * Does work, and counts how it ended.
 * @param count gets an error's code, or undefined for a good end.
 */
export async function counted<T>(
  work: () => Promise<T>,
  count: (outcome: string | undefined) => void,
): Promise<T> {
  try {
    const result = await work();
    count(undefined);
    return result;
  } catch (error) {
    count(error instanceof AppError ? error.code : "internal");
    throw error;
  }
}
