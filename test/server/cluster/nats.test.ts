import { jetstreamManager } from "@nats-io/jetstream";
import { connect, nkeys } from "@nats-io/transport-node";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openNatsCluster } from "../../../server/cluster/mod.ts";
import type { NatsOptions } from "../../../server/cluster/nats_link.ts";
import type { Cluster } from "../../../server/cluster/cluster.ts";
import { type NatsServer, type NatsSettings, startNats } from "../../fixtures/nats_server.ts";
import { until } from "../../fixtures/processes.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const now = { waitMs: 100 };

async function server(settings: Omit<NatsSettings, "folder"> = {}): Promise<NatsServer> {
  const started = await startNats({ folder: await temporaryFolder(), ...settings });
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
}

async function joined(
  options: Partial<NatsOptions> & Pick<NatsOptions, "servers">,
): Promise<Cluster> {
  const cluster = await openNatsCluster({ prefix: "stepwise", ...options }, () => {});
  onTestFinished(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

/** A certificate of localhost that is its own authority. */
async function certificate(folder: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 " +
    "-subj /CN=stepwise -addext subjectAltName=DNS:localhost -keyout";
  const made = await new Deno.Command("openssl", {
    args: [...args.split(" "), key, "-out", cert],
    ...{ stdout: "null", stderr: "null" },
  }).output();
  expect(made.success).toBe(true);
  return { cert, key };
}

test("two subnets on one server do not see each other's work, results, keys and calls", async () => {
  const { url } = await server();
  const [one, other] = [
    await joined({ servers: [url], prefix: "subnet_1" }),
    await joined({ servers: [url], prefix: "subnet_2" }),
  ];
  await one.work.add("sd15", "job", new Uint8Array([1]));
  await one.results.append("result", new Uint8Array([1]));
  await (await one.once("leader", 60)).claim("weights", "one");
  using _ = await one.bus.answer("open.1", () => Promise.resolve(new Uint8Array([1])));
  expect(await other.work.take("sd15", 1, now)).toEqual([]);
  expect(await other.results.append("result", new Uint8Array([2]))).toBe(true);
  expect(await (await other.once("leader", 60)).claim("weights", "other")).toBe(true);
  expect(await other.bus.ask("open.1", new Uint8Array())).toBeUndefined();
});

test("enters by user and password, also of the address, and says when they are wrong", async () => {
  const config = `authorization { users: [ { user: "miner", password: "s3cret/" } ] }`;
  const { url } = await server({ config });
  await joined({ servers: [url], user: "miner", password: "s3cret/" });
  await joined({ servers: [url.replace("//", "//miner:s3cret%2F@")] });
  const wrong = { servers: [url.replace("//", "//miner:s3cret@")], prefix: "stepwise" };
  const refusal = await rejection(openNatsCluster(wrong, () => {}));
  expect(refusal).toMatchObject({ code: "cluster_unavailable" });
  expect(refusal.message).toMatch(
    /^Cannot use the cluster at nats:\/\/127[.\d]+:\d+: .*uthorization/,
  );
  expect(refusal.message).not.toContain("s3cret");
});

test("enters by an NKEY over TLS, and trusts no unknown authority", async () => {
  const folder = await temporaryFolder();
  const { cert, key } = await certificate(folder);
  const user = nkeys.createUser();
  const nkeyFile = join(folder, "user.nk");
  await Deno.writeFile(nkeyFile, user.getSeed());
  const { url } = await server({
    config: `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }
tls { cert_file: "${cert}", key_file: "${key}" }`,
  });
  const servers = [url.replace("nats://127.0.0.1", "tls://localhost")];
  const cluster = await joined({ servers, nkeyFile, tls: { ca: cert } });
  expect(await cluster.work.add("sd15", "job", new Uint8Array())).toBe(true);
  const strange = rejection(openNatsCluster({ servers, nkeyFile, prefix: "stepwise" }, () => {}));
  expect(await strange).toMatchObject({ code: "cluster_unavailable" });
});

test("says which servers are not there, and which addresses are none", async () => {
  const open = (address: string) =>
    rejection(openNatsCluster({ servers: [address], prefix: "stepwise" }, () => {}));
  expect(await open("nats://127.0.0.1:9")).toMatchObject({
    code: "cluster_unavailable",
    message: expect.stringMatching(/^Cannot use the cluster at nats:\/\/127\.0\.0\.1:9: /),
  });
  expect(await open("127.0.0.1:4222")).toMatchObject({ code: "invalid_request" });
});

test("refuses clearly what a full store has no room for, and keeps what it has", async () => {
  const { url } = await server({ maxBytes: 2 ** 20 });
  const cluster = await joined({ servers: [url] });
  const body = new Uint8Array(200_000);
  const kept: string[] = [];
  const fill = async () => {
    for (let k = 0; k < 10; k++) {
      await cluster.work.add("sd15", `job-${k}`, body);
      kept.push(`job-${k}`);
    }
  };
  const refusal = await rejection(fill());
  expect(refusal).toMatchObject({ code: "storage_failed" });
  expect(refusal.message).toMatch(/^Cannot take the request: the cluster's storage is full/);
  expect(kept.length).toBeGreaterThan(2);
  const all = await cluster.work.take("sd15", 10, { waitMs: 5000 });
  expect(all.map(({ id, body: { length } }) => [id, length]))
    .toEqual(kept.map((id) => [id, body.length]));
  for (const work of all) await work.done();
  expect(await cluster.work.add("sd15", "later", body)).toBe(true);
});

/** Of the results, to the one reader that there is. */
async function handedOut(url: string): Promise<number> {
  await using connection = await connect({ servers: url });
  const manager = await jetstreamManager(connection);
  const [{ delivered }] = await manager.consumers.list("stepwise_results").next();
  return delivered.consumer_seq;
}

test("a reader that is slow is read ahead of by a bounded number, and gets all", async () => {
  const { url } = await server();
  const cluster = await joined({ servers: [url] });
  const count = 1000;
  const body = new Uint8Array(1000);
  await Promise.all(Array.from({ length: count }, (_, k) => cluster.results.append(`r${k}`, body)));
  const reader = await joined({ servers: [url] });
  const stop = new AbortController();
  const entries = reader.results.read(0, stop.signal)[Symbol.asyncIterator]();
  await entries.next();
  // Of 1000 no more than were asked for have left the server.
  expect(await handedOut(url)).toBeLessThanOrEqual(200);
  let seen = 1;
  for (; seen < count; seen++) await entries.next();
  stop.abort();
  expect(seen).toBe(count);
});

test("goes on by itself after its server was killed and came back", async () => {
  const started = await server();
  const cluster = await joined({ servers: [started.url] });
  await cluster.work.add("sd15", "before", new Uint8Array([1]));
  await started.kill();
  const added = cluster.work.add("sd15", "meanwhile", new Uint8Array([2]));
  await started.start();
  expect(await added).toBe(true);
  const found: string[] = [];
  await until(async () => {
    for (const work of await cluster.work.take("sd15", 2, now)) {
      found.push(work.id);
      await work.done();
    }
    return found.length === 2;
  }, "both jobs come");
  expect(found).toEqual(["before", "meanwhile"]);
});
