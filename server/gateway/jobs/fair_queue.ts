/** One thing to do, for somebody. */
export interface Task {
  readonly job: string;
  /** Within the job. */
  readonly n: number;
  /** Who is served by it. */
  readonly owner: string;
  /** How much it takes, in any unit. */
  readonly work: number;
}

interface Line {
  readonly tasks: Task[];
  /** Work that was begun for the owner, on the clock of all. */
  served: number;
}

/**
 * Tasks of many owners: next is always the owner for whom the least work was begun, and of its tasks
 * the first. So each of those who wait gets the same share, however much each has in line, and who
 * comes anew waits for one task of each of the others at most.
 *
 * @see Start-time fair queueing, https://doi.org/10.1109/90.649569: who was away begins at the clock of
 * all, and has saved nothing up.
 */
export class FairQueue {
  /** The order of insertion decides between equals. */
  readonly #lines = new Map<string, Line>();
  #clock = 0;
  /** Changes with whatever is in line. */
  #version = 0;
  #order: { readonly version: number; readonly tasks: readonly Task[] } | undefined;

  get size(): number {
    let size = 0;
    for (const { tasks } of this.#lines.values()) size += tasks.length;
    return size;
  }

  /** @param first before the owner's other tasks: it was begun before, and counts no second time. */
  add(task: Task, { first = false }: { readonly first?: boolean } = {}): void {
    this.#version++;
    const line = this.#lines.get(task.owner) ?? { tasks: [], served: this.#clock };
    if (line.tasks.length === 0) line.served = Math.max(line.served, this.#clock);
    if (first) {
      line.tasks.unshift(task);
      line.served -= task.work;
    } else line.tasks.push(task);
    this.#lines.set(task.owner, line);
  }

  take(): Task | undefined {
    const line = next(this.#lines.values());
    if (!line) return undefined;
    this.#version++;
    const task = line.tasks.shift();
    if (!task) return undefined;
    this.#clock = Math.max(this.#clock, line.served);
    line.served += task.work;
    this.#settle(task.owner, line);
    return task;
  }

  /** Takes all of a job out of the line. */
  remove(owner: string, job: string): void {
    const line = this.#lines.get(owner);
    if (!line) return;
    this.#version++;
    line.tasks.splice(0, Infinity, ...line.tasks.filter((task) => task.job !== job));
  }

  /** All tasks, as they would be taken if none came anew. */
  order(): readonly Task[] {
    if (this.#order?.version !== this.#version) {
      this.#order = { version: this.#version, tasks: this.#simulate() };
    }
    return this.#order.tasks;
  }

  /** Equals take turns; who has nothing in line, and nothing over the others, is forgotten. */
  #settle(owner: string, line: Line): void {
    this.#lines.delete(owner);
    this.#lines.set(owner, line);
    for (const [name, { tasks, served }] of this.#lines) {
      if (tasks.length === 0 && served <= this.#clock) this.#lines.delete(name);
    }
  }

  #simulate(): Task[] {
    const copy = new FairQueue();
    copy.#clock = this.#clock;
    for (const [owner, { tasks, served }] of this.#lines) {
      copy.#lines.set(owner, { tasks: [...tasks], served });
    }
    const order: Task[] = [];
    for (let task = copy.take(); task; task = copy.take()) order.push(task);
    return order;
  }
}

function next(lines: Iterable<Line>): Line | undefined {
  let best: Line | undefined;
  for (const line of lines) {
    if (line.tasks.length > 0 && (!best || line.served < best.served)) best = line;
  }
  return best;
}
