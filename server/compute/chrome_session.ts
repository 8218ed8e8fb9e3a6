import type { Page } from "puppeteer";
import { AppError, reason } from "../../core/error.ts";
import {
  decodeEngineAnswer,
  encodeFrames,
  type EngineAnswer,
  EngineCalls,
  type EngineChannel,
  type EngineOrder,
  FrameReader,
} from "../../core/remote/mod.ts";
import type { ChromeProgram } from "./chrome_path.ts";
import { ChromeProcess } from "./chrome_process.ts";
import type { ChromeServer } from "./chrome_server.ts";

type Hello = EngineAnswer & { readonly type: "hello" };
const READY_MS = 60_000;

/** One Chrome with the compute page in it. It is never repaired: when it fails, start another. */
export class ChromeSession implements EngineChannel, AsyncDisposable {
  readonly device: NonNullable<Hello["device"]>;
  readonly discrediting = ["inference_failed", "gpu_failed", "device_lost"] as const;
  /** `Chrome/156.0.8078.79` */
  readonly version: string;
  readonly #chrome: ChromeProcess;
  readonly #socket: WebSocket;
  readonly #reader = new FrameReader();
  readonly #calls = new EngineCalls((order, payload) => this.#send(order, payload), hostFailed);

  private constructor(
    chrome: ChromeProcess,
    version: string,
    socket: WebSocket,
    device: NonNullable<Hello["device"]>,
  ) {
    this.#chrome = chrome;
    this.version = version;
    this.#socket = socket;
    this.device = device;
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
      return await loadPage(chrome, server, (page, socket, { device, problem }) => {
        if (!device) throw new Error(`${problem ?? "it has no adapter"}${chrome.lastWords()}`);
        const session = new ChromeSession(chrome, version, socket, device);
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
    return !this.#calls.failed && this.#socket.readyState === WebSocket.OPEN;
  }

  get pid(): number | undefined {
    return this.#chrome.pid;
  }

  /** @throws AppError with the code that Chrome gave, or `host_failed` when Chrome has ended. */
  readonly call: EngineChannel["call"] = async (order, options) => {
    if (!this.alive) this.fail(closedSocket(this.#chrome));
    return await this.#calls.call(order, options);
  };

  /** Abandons the session: every job in it fails. */
  readonly fail: EngineChannel["fail"] = (why) => this.#calls.fail(why);

  async [Symbol.asyncDispose](): Promise<void> {
    this.fail(new AppError("host_failed", "Cannot compute in Chrome: the host was closed"));
    await this.#chrome[Symbol.asyncDispose]();
  }

  #send(message: EngineOrder, payload?: readonly ArrayBufferView[]): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const frame of encodeFrames(message, payload)) this.#socket.send(frame);
  }

  #take(data: ArrayBuffer): void {
    const frame = this.#reader.take(data);
    if (frame) this.#calls.take(decodeEngineAnswer(frame.message), frame.payload);
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
 * @param greet is called with that at once: a listener added then misses no message.
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
    // The worker may have said it before the page counts as loaded.
    const session = visit.socket.then((socket) =>
      new Promise<ChromeSession>((resolve) =>
        socket.addEventListener(
          "message",
          ({ data }) => resolve(Promise.try(() => greet(page, socket, decodeHello(data)))),
          { once: true },
        )
      )
    );
    session.catch(() => {});
    await Promise.race([page.goto(visit.url), broken]);
    return await Promise.race([session, broken]);
  } finally {
    clearTimeout(timer);
    broken.catch(() => {});
  }
}

function decodeHello(data: ArrayBuffer): Hello {
  const message = decodeEngineAnswer(new FrameReader().take(data)?.message);
  if (message.type === "hello") return message;
  throw new AppError(
    "host_failed",
    `Cannot compute in Chrome: its first message is ${message.type}`,
  );
}
