/** Characters of a reason: miners have a hand in its words. */
const MAX_WHY = 300;

/** What is kept of a reason. */
export function brief(why: string): string {
  return why.length > MAX_WHY ? `${why.slice(0, MAX_WHY - 3)}...` : why;
}
