/** Memory of all buffers of a device, onnxruntime's included, in bytes. */
export interface DeviceMemory {
  /** Not destroyed yet. */
  readonly held: number;
  /** The highest so far. */
  readonly peak: number;
}

/**
 * Counts a device's buffers from now on: all pass through its `createBuffer`.
 * @returns the count as it is when asked.
 */
export function countBuffers(device: GPUDevice): () => DeviceMemory {
  let held = 0;
  let peak = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    let { size } = buffer;
    held += size;
    peak = Math.max(peak, held);
    buffer.destroy = () => {
      held -= size;
      size = 0;
      return destroy();
    };
    return buffer;
  };
  return () => ({ held, peak });
}
