import type { Engagement, SpreadPost } from "../../core/content/mod.ts";
import { Sql, type SqlRow } from "../storage/mod.ts";
import type { PostSeen } from "./network.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS posts (
    post TEXT PRIMARY KEY, network TEXT NOT NULL, piece TEXT NOT NULL, account TEXT NOT NULL,
    creator TEXT NOT NULL, proof TEXT NOT NULL, named INTEGER NOT NULL, due INTEGER NOT NULL,
    counts INTEGER NOT NULL, read INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS posts_by_due ON posts (due);
  CREATE INDEX IF NOT EXISTS posts_by_piece ON posts (piece);
  CREATE TABLE IF NOT EXISTS readings (
    post TEXT NOT NULL, at INTEGER NOT NULL, found TEXT NOT NULL,
    likes INTEGER, reposts INTEGER, listed INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS readings_by_post ON readings (post, at);
  CREATE TABLE IF NOT EXISTS engagements (
    post TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
    since INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY (post, account, kind)
  ) STRICT;
`;

/** A post that a creator named. */
export interface NamedPost extends SpreadPost {
  /** Which of the networks it is of. */
  readonly network: string;
  readonly creator: string;
  /** What it carries the piece by. */
  readonly proof: string;
  /** Milliseconds since 1970. */
  readonly named: number;
}

/** What was read of a post, and when. */
export interface Reading {
  readonly at: number;
  /** `read`, or why it counts no more, or could not be read. */
  readonly found: string;
  readonly likes?: number;
  readonly reposts?: number;
  /** Engagements that were read one by one. */
  readonly listed?: number;
}

/** Posts, every reading of them, and who engaged; in SQLite. */
export class SpreadStore implements Disposable {
  readonly #sql: Sql;

  /** @throws AppError `storage_failed`. */
  constructor(path: string) {
    this.#sql = new Sql(path, SCHEMA);
  }

  find(post: string): NamedPost | undefined {
    const row = this.#sql.first("SELECT * FROM posts WHERE post = ?", post);
    return row && namedOf(row);
  }

  postsOf(piece: string): NamedPost[] {
    return this.#sql.all("SELECT * FROM posts WHERE piece = ? ORDER BY named, post", piece)
      .map(namedOf);
  }

  /** With its first reading. */
  add(post: NamedPost, seen: PostSeen, due: number): void {
    const { network, piece, account, creator, proof, named } = post;
    this.#sql.atomically(() => {
      this.#sql.run(
        "INSERT INTO posts VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
        ...[post.post, network, piece, account, creator, proof, named, due, named],
      );
      this.read(post.post, seen, named, due);
    });
  }

  /** A reading: who is not among those seen now has taken it back, and counts no more. */
  read(post: string, { engagements, likes, reposts }: PostSeen, at: number, due: number): void {
    this.#sql.atomically(() => {
      this.#sql.run(
        "INSERT INTO readings VALUES (?, ?, 'read', ?, ?, ?)",
        ...[post, at, likes, reposts, engagements.length],
      );
      for (const each of engagements) {
        // Nobody can have liked it later than it was read; a network's own error must not add a day.
        const moment = Math.min(Number.isFinite(each.at) ? each.at ?? at : at, at);
        this.#sql.run(
          `INSERT INTO engagements VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (post, account, kind) DO UPDATE SET seen = excluded.seen`,
          ...[post, each.account, each.kind, moment, each.since, at],
        );
      }
      this.#sql.run("UPDATE posts SET counts = 1, read = ?, due = ? WHERE post = ?", at, due, post);
    });
  }

  /** What counts no more, for now: deleted, or no longer what it was. */
  drop(post: string, found: string, at: number, due: number): void {
    this.#sql.atomically(() => {
      this.#note(post, found, at);
      this.#sql.run("UPDATE posts SET counts = 0, read = ?, due = ? WHERE post = ?", at, due, post);
    });
  }

  /** A reading that failed: what was read before stands, for a time. */
  miss(post: string, found: string, at: number, due: number): void {
    this.#sql.atomically(() => {
      this.#note(post, found, at);
      this.delay(post, due);
    });
  }

  delay(post: string, due: number): void {
    this.#sql.run("UPDATE posts SET due = ? WHERE post = ?", due, post);
  }

  #note(post: string, found: string, at: number): void {
    this.#sql.run("INSERT INTO readings (post, at, found) VALUES (?, ?, ?)", post, at, found);
  }

  /** Those whose next reading is due, the longest due first. */
  due(now: number, limit: number): NamedPost[] {
    return this.#sql.all(
      "SELECT * FROM posts WHERE due <= ? ORDER BY due, post LIMIT ?",
      now,
      limit,
    )
      .map(namedOf);
  }

  readings(post: string): Reading[] {
    return this.#sql.all("SELECT * FROM readings WHERE post = ? ORDER BY at", post).map((row) => ({
      ...{ at: Number(row.at), found: String(row.found) },
      ...row.likes === null
        ? {}
        : { likes: Number(row.likes), reposts: Number(row.reposts), listed: Number(row.listed) },
    }));
  }

  /** Posts that count, and the engagements of their latest readings. @param since of readings; @param from of engagements. */
  counting(since: number, from: number): {
    readonly posts: readonly NamedPost[];
    readonly engagements: readonly Engagement[];
  } {
    const posts = this.#sql.all(
      "SELECT * FROM posts WHERE counts = 1 AND read >= ? ORDER BY post",
      since,
    ).map(namedOf);
    const engagements = this.#sql.all(
      `SELECT engagements.* FROM engagements JOIN posts USING (post)
       WHERE counts = 1 AND read >= ? AND seen = read AND at >= ? ORDER BY post, account, kind`,
      ...[since, from],
    ).map((row) => ({
      ...{ post: String(row.post), account: String(row.account), at: Number(row.at) },
      ...{ kind: row.kind as Engagement["kind"], since: Number(row.since) },
    }));
    return { posts, engagements };
  }

  [Symbol.dispose](): void {
    this.#sql[Symbol.dispose]();
  }
}

function namedOf(row: SqlRow): NamedPost {
  return {
    ...{ post: String(row.post), network: String(row.network), piece: String(row.piece) },
    ...{ account: String(row.account), creator: String(row.creator) },
    ...{ proof: String(row.proof), named: Number(row.named) },
  };
}
