/**
 * The globals that Deno, browsers and workers share and that core uses (a part of the
 * Minimum Common Web Platform API, https://min-common-api.proposal.wintertc.org).
 * Anything not declared here is a compile error in core: extend it only with what all three have.
 */

declare class Float16Array extends Uint16Array {}

interface EventListenerLike {
  (event: { readonly type: string }): void;
}
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
declare const AbortSignal: {
  timeout(milliseconds: number): AbortSignal;
  any(signals: readonly AbortSignal[]): AbortSignal;
};
declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class URL {
  constructor(url: string | URL, base?: string | URL);
  href: string;
  readonly origin: string;
  protocol: string;
  host: string;
  hostname: string;
  pathname: string;
  search: string;
  toString(): string;
  static canParse(url: string, base?: string): boolean;
}

declare class Headers {
  constructor(init?: Record<string, string> | readonly (readonly [string, string])[]);
  get(name: string): string | null;
  has(name: string): boolean;
  set(name: string, value: string): void;
}

interface ReadableStreamReader<T> {
  read(): Promise<{ done: false; value: T } | { done: true; value: undefined }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}
interface ReadableStream<T = unknown> extends AsyncIterable<T> {
  getReader(): ReadableStreamReader<T>;
  cancel(reason?: unknown): Promise<void>;
  pipeThrough(transform: DecompressionStream): ReadableStream<Uint8Array<ArrayBuffer>>;
}
declare const ReadableStream: {
  new <T>(source: {
    pull(controller: { enqueue(chunk: T): void; close(): void }): void;
  }): ReadableStream<T>;
};
declare class DecompressionStream {
  constructor(format: "deflate");
}

interface Blob {
  readonly size: number;
  arrayBuffer(): Promise<ArrayBuffer>;
  slice(start?: number, end?: number): Blob;
}

interface RequestInit {
  method?: string;
  headers?: Record<string, string> | Headers;
  body?: string | Uint8Array;
  redirect?: "follow" | "manual" | "error";
  signal?: AbortSignal | null;
}
interface Response {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  arrayBuffer(): Promise<ArrayBuffer>;
  json(): Promise<unknown>;
  text(): Promise<string>;
}
declare function fetch(url: string | URL, init?: RequestInit): Promise<Response>;

declare class WebSocket {
  constructor(url: string);
  send(text: string): void;
  close(): void;
  addEventListener(type: "open" | "error" | "close", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  decode(bytes?: ArrayBuffer | ArrayBufferView): string;
}

declare function btoa(binary: string): string;
declare function atob(base64: string): string;

declare const performance: { now(): number };
declare function setTimeout(callback: () => void, milliseconds: number): number;
declare function clearTimeout(id: number | undefined): void;

declare const crypto: {
  getRandomValues<T extends Uint8Array | BigUint64Array>(values: T): T;
};
