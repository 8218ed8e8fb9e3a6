import type { Page } from "puppeteer";
import { AppError, reason } from "../../core/error.ts";
import {
  type ChromeMessage,
  decodeChromeMessage,
  encodeFrames,
  FrameReader,
  type HostMessage,
} from "../../core/protocol/mod.ts";
import type { ChromeProgram } from "./chrome_path.ts";
import { ChromeProcess } from "./chrome_process.ts";
import type { ChromeServer } from "./chrome_server.ts";

type Hello = ChromeMessage & { readonly type: "hello" };
type Payload = Uint8Array<ArrayBuffer>;
/** A message without the number that the session gives it. */
type Unnumbered<T> = T extends unknown ? Omit<T, "job"> : never;
export type Order = Unnumbered<Exclude<HostMessage, { type: "cancel" }>>;
/** What ends a job well, by what began it. */
interface Answers {
  readonly open: "opened";
  readonly generate: "done";
  readonly predict: "predicted";
  readonly decode: "decoded";
  readonly close: "closed";
}
export type AnswerTo<T extends keyof Answers> = ChromeMessage & { readonly type: Answers[T] };

interface Job {
  readonly onMessage: (message: ChromeMessage, payload: Payload) => void;
  readonly resolve: (answer: ChromeMessage) => void;
  readonly reject: (error: unknown) => void;
}

export interface CallOptions {
  /** Bytes that belong to the order. */
  readonly payload?: readonly ArrayBufferView[];
  /** What comes before the answer, and the answer. What it throws ends the job. */
  readonly onMessage?: (message: ChromeMessage, payload: Payload) => void;
  /** Cancels the job in Chrome, which then fails with `cancelled`. */
  readonly signal?: AbortSignal;
}

const READY_MS = 60_000;

/** One Chrome with the compute page in it. It is never repaired: when it fails, start another. */
export class ChromeSession implements AsyncDisposable {
  readonly adapter: NonNullable<Hello["adapter"]>;
  /** `Chrome/156.0.8078.79` */
  readonly version: string;
  readonly #chrome: ChromeProcess;
  readonly #socket: WebSocket;
  readonly #reader = new FrameReader();
  readonly #jobs = new Map<number, Job>();
  #lastJob = 0;
  #failure: Promise<AppError> | undefined;

  private constructor(
    chrome: ChromeProcess,
    version: string,
    socket: WebSocket,
    adapter: NonNullable<Hello["adapter"]>,
  ) {
    this.#chrome = chrome;
    this.version = version;
    this.#socket = socket;
    this.adapter = adapter;
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("close", () => this.fail(closedSocket(chrome)));
  }

  /** @throws AppError `host_unavailable` saying what Chrome lacks. */
  static async start(
    program: ChromeProgram,
    server: Pick<ChromeServer, "visit">,
  ): Promise<ChromeSession> {
    const chrome = await ChromeProcess.start(program);
    try {
      const version = await chrome.browser.version();
      return await loadPage(chrome, server, (page, socket, { adapter, problem }) => {
        if (!adapter) throw new Error(`${problem ?? "it has no adapter"}${chrome.lastWords()}`);
        const session = new ChromeSession(chrome, version, socket, adapter);
        page.on(
          "pageerror",
          (error) => session.fail(hostFailed(`its page failed: ${reason(error)}`)),
        );
        return session;
      });
    } catch (cause) {
      await chrome[Symbol.asyncDispose]();
      throw new AppError(
        "host_unavailable",
        `Cannot compute in Chrome (${program.path}): ${reason(cause)}. Install a GPU driver that ` +
          "Chrome accepts (see chrome://gpu), or use --compute cpu",
        { cause },
      );
    }
  }

  get alive(): boolean {
    return this.#failure === undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  get pid(): number | undefined {
    return this.#chrome.pid;
  }

  /**
   * Gives Chrome a job and waits for its end.
   * @throws AppError with the code that Chrome gave, or `host_failed` when Chrome is gone.
   */
  async call<T extends Order>(
    order: T,
    { payload, onMessage = () => {}, signal }: CallOptions = {},
  ): Promise<AnswerTo<T["type"]>> {
    if (!this.alive) throw await (this.#failure ?? closedSocket(this.#chrome));
    const job = ++this.#lastJob;
    const cancel = () => this.#send({ type: "cancel", job });
    const answer = new Promise<ChromeMessage>((resolve, reject) =>
      this.#jobs.set(job, { onMessage, resolve, reject })
    );
    this.#send({ ...order, job } as HostMessage, payload);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await answer as AnswerTo<T["type"]>;
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#jobs.delete(job);
    }
  }

  /** Gives the session up: every job in it fails. */
  fail(why: AppError | Promise<AppError>): void {
    if (this.#failure) return;
    this.#failure = Promise.resolve(why);
    void this.#failure.then((error) => {
      for (const { reject } of this.#jobs.values()) reject(error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.fail(new AppError("host_failed", "Cannot compute in Chrome: the host was closed"));
    await this.#chrome[Symbol.asyncDispose]();
  }

  #send(message: HostMessage, payload?: readonly ArrayBufferView[]): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const frame of encodeFrames(message, payload)) this.#socket.send(frame);
  }

  #take(data: ArrayBuffer): void {
    const frame = this.#reader.take(data);
    if (!frame) return;
    const { payload } = frame;
    const message = decodeChromeMessage(frame.message);
    if (message.type === "hello") return;
    if (message.type === "lost") {
      return this.fail(hostFailed(message.reason));
    }
    const job = this.#jobs.get(message.job);
    switch (message.type) {
      case "failed":
        return job?.reject(new AppError(message.code, message.message));
      case "opened":
      case "done":
      case "predicted":
      case "decoded":
      case "closed":
        this.#pass(message, payload, job);
        return job?.resolve(message);
      default:
        return this.#pass(message, payload, job);
    }
  }

  #pass(message: ChromeMessage & { job: number }, payload: Payload, job: Job | undefined): void {
    try {
      job?.onMessage(message, payload);
    } catch (error) {
      this.#send({ type: "cancel", job: message.job });
      job?.reject(error);
    }
  }
}

function hostFailed(why: string): AppError {
  return new AppError("host_failed", `Cannot compute in Chrome: ${why}`);
}

/** The socket closes first, whatever happens; how the page or Chrome ended is known soon after. */
async function closedSocket(chrome: ChromeProcess): Promise<AppError> {
  const pageOnly = new Promise<string>((resolve) =>
    setTimeout(() => resolve("its page crashed, hangs or was closed"), 500)
  );
  const why = await Promise.race([chrome.ended, pageOnly]);
  return hostFailed(`${why}${chrome.lastWords()}`);
}

/**
 * Opens the page and waits for its worker to say what it found.
 * @param greet is called with that at once: whoever listens from then on misses no message.
 */
async function loadPage(
  chrome: ChromeProcess,
  server: Pick<ChromeServer, "visit">,
  greet: (page: Page, socket: WebSocket, hello: Hello) => ChromeSession,
): Promise<ChromeSession> {
  using visit = server.visit();
  const [page = await chrome.browser.newPage()] = await chrome.browser.pages();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  page.on("pageerror", (error) => reject(new Error(`its page failed: ${reason(error)}`)));
  page.on("console", (message) => {
    if (message.type() === "error") chrome.hear(message.text());
  });
  page.on("error", (error) => reject(new Error(`its page crashed: ${reason(error)}`)));
  void chrome.ended.then((how) => reject(new Error(how)));
  const timer = setTimeout(
    () => reject(new Error(`its page was not ready in ${READY_MS / 1000} s`)),
    READY_MS,
  );
  try {
    await Promise.race([page.goto(visit.url), broken]);
    const socket = await Promise.race([visit.socket, broken]);
    const session = new Promise<ChromeSession>((resolve) =>
      socket.addEventListener(
        "message",
        ({ data }) => resolve(Promise.try(() => greet(page, socket, decodeHello(data)))),
        { once: true },
      )
    );
    return await Promise.race([session, broken]);
  } finally {
    clearTimeout(timer);
    broken.catch(() => {});
  }
}

function decodeHello(data: ArrayBuffer): Hello {
  const message = decodeChromeMessage(new FrameReader().take(data)?.message);
  if (message.type === "hello") return message;
  throw new AppError("host_failed", `Cannot compute in Chrome: its first word is ${message.type}`);
}
