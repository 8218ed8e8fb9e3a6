import { JetStreamApiError, StorageType, type StreamConfig } from "@nats-io/jetstream";
import type { NatsLink } from "./nats_link.ts";
import { persist } from "./nats_writes.ts";

/** JetStream's number for a stream that is there with other settings. */
const OTHER_SETTINGS = 10058;

/** Makes a stream, or gives the one that is there these settings. */
export async function openStream(
  { manager, replicas }: NatsLink,
  settings: Partial<StreamConfig> & { readonly name: string },
): Promise<void> {
  const all = { ...settings, storage: StorageType.File, num_replicas: replicas };
  await persist(`open the stream ${settings.name}`, async () => {
    try {
      await manager.streams.add(all);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== OTHER_SETTINGS) throw error;
      await manager.streams.update(settings.name, all);
    }
  });
}
