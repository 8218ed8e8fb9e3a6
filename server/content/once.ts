/** Of each argument the first answer; one that failed is asked for again. */
export function once<K, V>(open: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new Map<K, Promise<V>>();
  return (key) => {
    const answer = known.get(key) ?? open(key);
    known.set(key, answer);
    answer.catch(() => known.delete(key));
    return answer;
  };
}
