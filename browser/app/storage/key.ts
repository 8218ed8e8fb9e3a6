/** A key stays in this browser, for pages of this origin alone. */
const NAME = "stepwise.gateway";

/** What was kept, which may be of an older page. */
export function keptKey(): unknown {
  try {
    return JSON.parse(localStorage.getItem(NAME) ?? "{}");
  } catch {
    // Private windows may have no storage.
    return {};
  }
}

/** Without storage it holds until the page is closed. */
export function keepKey(access: unknown): void {
  try {
    localStorage.setItem(NAME, JSON.stringify(access));
  } catch {
    // Then it is not kept.
  }
}

export function clearKey(): void {
  try {
    localStorage.removeItem(NAME);
  } catch {
    // Then there is none.
  }
}
