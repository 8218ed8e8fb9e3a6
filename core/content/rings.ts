/**
 * Which of those who like each other go round in a ring: from each of a ring a way leads to each other one.
 * @param likes who likes, and whom.
 * @returns the ring of everybody who is in one, by a name that its members share. Who is in none has none.
 * @see Tarjan, Depth-first search and linear graph algorithms, 1972; here by two searches, as Kosaraju did it.
 */
export function ringsOf(
  likes: readonly (readonly [from: string, to: string])[],
): ReadonlyMap<string, string> {
  const [forth, back] = [new Map<string, string[]>(), new Map<string, string[]>()];
  for (const [from, to] of likes) {
    link(forth, from, to);
    link(back, to, from);
  }
  const order = new Set<string>();
  for (const node of forth.keys()) visit(node, forth, order);
  const rings = new Map<string, string>();
  const found = new Set<string>();
  for (const node of [...order].reverse()) {
    const ring = visit(node, back, found);
    if (ring.length > 1) { for (const member of ring) rings.set(member, node); }
  }
  return rings;
}

function link(links: Map<string, string[]>, from: string, to: string): void {
  const known = links.get(from);
  if (known) known.push(to);
  else links.set(from, [to]);
}

/**
 * All that are reached and were not before, each after what is reached from it.
 * @param done gets them, in that order.
 */
function visit(
  start: string,
  links: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
): string[] {
  if (done.has(start)) return [];
  const reached = new Set([start]);
  const ended: string[] = [];
  const path = [{ node: start, next: 0 }];
  while (path.length > 0) {
    const top = path[path.length - 1];
    const to = links.get(top.node)?.[top.next++];
    if (to === undefined) {
      ended.push(top.node);
      path.pop();
    } else if (!reached.has(to) && !done.has(to)) {
      reached.add(to);
      path.push({ node: to, next: 0 });
    }
  }
  for (const node of ended) done.add(node);
  return ended;
}
