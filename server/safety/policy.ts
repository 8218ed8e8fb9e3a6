/** What is done about what nobody asked to see: nothing, a note with the image, or a refusal. */
export const NSFW_POLICIES = ["off", "flag", "block"] as const;

export type NsfwPolicy = typeof NSFW_POLICIES[number];

/** What was found in a prompt or an image, and what it comes to. */
export interface Screening {
  readonly action: "pass" | "flag" | "block";
  /** For people, one a finding; none where it passes. */
  readonly findings: readonly string[];
}

/** Something that was found. */
export interface Finding {
  /**
   * `hint` may be harmless and is never refused; `explicit` is refused where the policy says block;
   * `never` is refused by every policy.
   */
  readonly grade: "hint" | "explicit" | "never";
  /** For people. */
  readonly what: string;
}

export const PASSED: Screening = { action: "pass", findings: [] };

/** What findings come to under a policy. */
export function judge(findings: readonly Finding[], policy: NsfwPolicy): Screening {
  const never = findings.filter(({ grade }) => grade === "never");
  if (never.length > 0) return { action: "block", findings: never.map(({ what }) => what) };
  if (policy === "off" || findings.length === 0) return PASSED;
  const blocks = policy === "block" && findings.some(({ grade }) => grade === "explicit");
  return { action: blocks ? "block" : "flag", findings: findings.map(({ what }) => what) };
}
