import type { CheckEngine } from "./check_image_steps.ts";

/** What a check costs while it runs: bytes opened, steps through the network, milliseconds. */
export class Meter {
  openings = 0;
  bytes = 0;
  /** Steps that the network predicted again, each with all its guidance. */
  evaluations = 0;
  openingMs = 0;
  loadMs = 0;
  networkMs = 0;
  decodeMs = 0;
  readonly #started = performance.now();

  get totalMs(): number {
    return performance.now() - this.#started;
  }

  async opening(open: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const bytes = await timed(open, (ms) => this.openingMs += ms);
    this.openings++;
    this.bytes += bytes.length;
    return bytes;
  }

  loading<T>(load: () => Promise<T>): Promise<T> {
    return timed(load, (ms) => this.loadMs += ms);
  }

  /** The same engine, counted. */
  engine(engine: CheckEngine): CheckEngine {
    const { encode } = engine;
    return {
      predict: (request, states, given) => {
        this.evaluations += states.length;
        return timed(() => engine.predict(request, states, given), (ms) => this.networkMs += ms);
      },
      decode: (request, bits) =>
        timed(() => engine.decode(request, bits), (ms) => this.decodeMs += ms),
      ...(encode && {
        encode: (request, image, mask) =>
          timed(() => encode.call(engine, request, image, mask), (ms) => this.decodeMs += ms),
      }),
    };
  }
}

async function timed<T>(run: () => Promise<T>, took: (ms: number) => void): Promise<T> {
  const started = performance.now();
  try {
    return await run();
  } finally {
    took(performance.now() - started);
  }
}
