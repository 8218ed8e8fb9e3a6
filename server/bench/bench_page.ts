import { AppError, reason } from "../../core/error.ts";
import type { BenchProgress } from "../../core/bench/mod.ts";
import type { ModelFiles } from "../../core/model/mod.ts";
import type { ModelDescription } from "../../core/remote/mod.ts";
import { ChromeProcess, ChromeServer, locateChrome } from "../compute/mod.ts";

/** The bench page in a headless Chrome; it does one thing at a time. */
export class BenchPage implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #server: ChromeServer;
  readonly #run: (script: string) => Promise<unknown>;
  /** `Chrome/156.0.8078.79` */
  readonly software: string;

  private constructor(
    owned: AsyncDisposableStack,
    server: ChromeServer,
    software: string,
    run: (script: string) => Promise<unknown>,
  ) {
    this.#owned = owned;
    this.#server = server;
    this.software = software;
    this.#run = run;
  }

  /**
   * @param onProgress called with the page's `benchProgress`.
   * @throws AppError `host_unavailable` when there is no Chrome.
   */
  static async open(
    chromePath: string | undefined,
    onProgress: (progress: BenchProgress) => void,
  ): Promise<BenchPage> {
    const program = await locateChrome(chromePath);
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await ChromeServer.start({ page: "bench.html" }));
    const chrome = stack.use(await ChromeProcess.start(program));
    const page = await chrome.browser.newPage();
    let call = newCall();
    const fail = (why: string) => call.reject(cannotBench(why + chrome.lastWords()));
    void chrome.ended.then(fail);
    page.on("pageerror", (error) => fail(reason(error)));
    page.on("error", (error) => fail(`its page crashed (${reason(error)})`));
    await page.exposeFunction("benchProgress", onProgress);
    await page.exposeFunction("benchDone", (json: string) => call.resolve(JSON.parse(json)));
    await page.exposeFunction("benchFailed", fail);
    await page.goto(server.url);
    const run = async (script: string) => {
      call = newCall();
      // Not awaited there: puppeteer gives up on what takes minutes.
      await page.evaluate(
        `void ${script}.then((result) => benchDone(JSON.stringify(result ?? null)),
          (error) => benchFailed(error.message))`,
      );
      return await call.promise;
    };
    return new BenchPage(stack.move(), server, await chrome.browser.version(), run);
  }

  /** Serves a model to the page, until the page is closed. */
  serve(files: ModelFiles): ModelDescription {
    return this.#server.serve(files).model;
  }

  /**
   * Calls a function of the page, with arguments as JSON or, for its own values, as they are.
   * @throws AppError `host_unavailable` with the words of the page or of Chrome's end.
   */
  async call(name: string, ...scripts: readonly string[]): Promise<unknown> {
    return await this.#run(`${name}(${scripts.join(", ")})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

function newCall() {
  const call = Promise.withResolvers<unknown>();
  // Chrome may end while nothing waits for it.
  call.promise.catch(() => {});
  return call;
}

function cannotBench(why: string): AppError {
  const sentence = why.startsWith("Cannot ") ? why : `Cannot bench in Chrome: ${why}`;
  return new AppError("host_unavailable", sentence);
}
