import type { Bus } from "./cluster.ts";
import { checkSubject } from "./names.ts";

type Hear = (body: Uint8Array) => void;
type Reply = (body: Uint8Array) => Promise<Uint8Array>;

/** Calls within this process. */
export class LocalBus implements Bus {
  readonly #listeners = new Map<string, Set<Hear>>();
  readonly #answerers = new Map<string, Set<Reply>>();

  publish(subject: string, body: Uint8Array): void {
    const listeners = this.#listeners.get(checkSubject(subject)) ?? [];
    queueMicrotask(() => {
      for (const hear of listeners) hear(body);
    });
  }

  listen(subject: string, hear: Hear): Promise<Disposable> {
    return Promise.resolve(added(this.#listeners, checkSubject(subject), hear));
  }

  async ask(subject: string, body: Uint8Array): Promise<Uint8Array | undefined> {
    const [reply] = this.#answerers.get(checkSubject(subject)) ?? [];
    return await reply?.(body);
  }

  answer(subject: string, reply: Reply): Promise<Disposable> {
    return Promise.resolve(added(this.#answerers, checkSubject(subject), reply));
  }
}

function added<T>(map: Map<string, Set<T>>, subject: string, member: T): Disposable {
  const members = map.get(subject) ?? new Set<T>();
  map.set(subject, members.add(member));
  return {
    [Symbol.dispose]: () => {
      members.delete(member);
      if (members.size === 0) map.delete(subject);
    },
  };
}
