import { AppError } from "../../core/error.ts";
import type { GenerationRequest } from "../../core/request/mod.ts";
import { ImageClassifier, type ImageShares } from "./image_classifier.ts";
import { type Finding, judge, type NsfwPolicy, PASSED, type Screening } from "./policy.ts";
import { namesMinors, promptFindings } from "./prompt_filter.ts";

/**
 * Shares of what the network calls porn and hentai together. On six portraits it gave at most 0.05,
 * and called none of them either (`models/nsfw/README.md`).
 */
const EXPLICIT_SHARE = 0.8;
const HINT_SHARE = 0.5;

/** A policy at work. Both throw AppError `content_blocked`, and otherwise return what callers are told. */
export interface Screen {
  /** Of prompts, before anything is made. */
  request(request: Prompts): readonly string[];
  /** Of an image's file, before anybody gets it. */
  image(file: Uint8Array<ArrayBuffer>): Promise<readonly string[]>;
  /** Whether an image may be seen while it is made, when it was not looked at; default: yes. */
  readonly previews?: boolean;
}

type Prompts = Pick<GenerationRequest, "prompt" | "prompt2">;

/** Looks at what is asked for, and at what was made of it, under a policy of the caller's. */
export class Safety implements AsyncDisposable {
  readonly #classifier: Pick<ImageClassifier, "classify"> & AsyncDisposable;

  /** The network is loaded with the first image that is looked at. */
  constructor(
    classifier: Pick<ImageClassifier, "classify"> & AsyncDisposable = new ImageClassifier(),
  ) {
    this.#classifier = classifier;
  }

  /** Whether a request's prompts pass. Under every policy a prompt that makes a child sexual does not. */
  screen(request: Prompts, policy: NsfwPolicy): Screening {
    if (policy === "off" && !namesMinors(request)) return PASSED;
    return judge(promptFindings(request), policy);
  }

  /**
   * Whether an image passes.
   * @param file PNG, JPEG or WebP.
   * @throws AppError `inference_failed` where nobody can say what it shows: it is not served then.
   */
  async screenImage(file: Uint8Array<ArrayBuffer>, policy: NsfwPolicy): Promise<Screening> {
    if (policy === "off") return PASSED;
    return judge(imageFindings(await this.#classifier.classify(file)), policy);
  }

  /** What of it a server asks for each request, under its policy or that of the caller's key. */
  under(policy: NsfwPolicy): Screen {
    return {
      request: (request) => passed(this.screen(request, policy)),
      image: async (file) => passed(await this.screenImage(file, policy)),
      previews: policy !== "block",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#classifier[Symbol.asyncDispose]();
  }
}

function imageFindings({ porn, hentai }: ImageShares): readonly Finding[] {
  const share = porn + hentai;
  if (share < HINT_SHARE) return [];
  const percent = Math.round(100 * share);
  const grade = share < EXPLICIT_SHARE ? "hint" : "explicit";
  return [{ grade, what: `the image looks like pornography (${percent} %)` }];
}

function passed({ action, findings }: Screening): readonly string[] {
  if (action === "block") {
    throw new AppError("content_blocked", `Cannot generate: ${findings.join(", ")}`);
  }
  return findings.map((finding) => `Not safe for everybody: ${finding}`);
}
