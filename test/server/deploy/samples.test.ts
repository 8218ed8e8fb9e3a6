import { join } from "node:path";
import { createRequire } from "node:module";
import { describe, expect, onTestFinished, test } from "vitest";
import { MinerMetrics } from "../../../server/miner/mod.ts";
import { ValidatorMetrics } from "../../../server/validator/metrics.ts";
import { runCli } from "../../fixtures/cli.ts";
import { until } from "../../fixtures/processes.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const DEPLOY = join(ROOT, "server/deploy");
const read = (path: string) => Deno.readTextFileSync(join(DEPLOY, path));

async function run(program: string, ...args: string[]): Promise<{ code: number; words: string }> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args }).output();
  return { code, words: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function has(program: string): Promise<boolean> {
  return await run(program, "--version").then(() => true, () => false);
}

const tools = {
  promtool: await has("promtool"),
  nginx: await has("nginx"),
  systemd: await has("systemd-analyze"),
};

describe.skipIf(!tools.promtool)("Prometheus", () => {
  test("takes the configuration, and every alert fires when it should", async () => {
    const folder = join(DEPLOY, "prometheus");
    expect(await run("promtool", "check", "config", join(folder, "prometheus.yml")))
      .toMatchObject({ code: 0 });
    const tested = await run("promtool", "test", "rules", join(folder, "alerts_test.yml"));
    expect(tested).toMatchObject({ code: 0 });
    const alerts = [...read("prometheus/alerts.yml").matchAll(/alert: (\w+)/g)].map(([, name]) =>
      name
    );
    const fired = [...read("prometheus/alerts_test.yml").matchAll(/^ +alertname: (\w+)$/gm)];
    expect(fired.map(([, name]) => name).toSorted()).toEqual(alerts.toSorted());
  });

  test("takes the board's queries", async () => {
    const file = join(await temporaryFolder(), "queries.yml");
    const rules = boardQueries().map((expr, k) => ({ record: `query_${k}`, expr }));
    await Deno.writeTextFile(file, JSON.stringify({ groups: [{ name: "board", rules }] }));
    expect(await run("promtool", "check", "rules", file)).toMatchObject({ code: 0 });
  });
});

describe.skipIf(!await has("prometheus"))("a Prometheus that runs", () => {
  const source = {
    capacity: () => ({ batch: 1, queueLimit: 10, queued: 9, running: 0 }),
    generators: () => [{ url: "http://gone", up: false }],
    workers: () => 0,
  };

  /** Scrapes a miner without workers each second; alerts fire at once. */
  async function started(): Promise<string> {
    const folder = await temporaryFolder();
    const metrics = new MinerMetrics(source);
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    const miner = Deno.serve(options, async () => new Response(await metrics.text()));
    onTestFinished(() => miner.shutdown());
    const config = read("prometheus/prometheus.yml").replaceAll("15s", "1s")
      .replace(/targets: \["127.0.0.1:8091".*/, `targets: ["127.0.0.1:${miner.addr.port}"]`)
      .replace(/targets: \["127.0.0.1:8092"\]/, `targets: ["127.0.0.1:9"]`);
    await Deno.writeTextFile(join(folder, "prometheus.yml"), config);
    const alerts = read("prometheus/alerts.yml").replaceAll(/for: \d+m/g, "for: 0s");
    await Deno.writeTextFile(join(folder, "alerts.yml"), alerts);
    const port = freePort();
    const nothing = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command("prometheus", {
      args: [
        ...[`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`],
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      ...nothing,
    }).spawn();
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await child.status;
    });
    return `http://127.0.0.1:${port}/api/v1`;
  }

  test("fires alerts of what it scrapes, and answers the board's queries", async () => {
    const api = await started();
    const firing = async () => {
      const answer = await fetch(`${api}/alerts`).then((response) => response.json())
        .catch(() => ({}));
      const alerts: { state: string; labels: { alertname: string } }[] = answer.data?.alerts ?? [];
      return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname);
    };
    const wanted = [
      "StepwiseDown",
      "StepwiseGeneratorDown",
      "StepwiseNoWorkers",
      "StepwiseQueueFilling",
    ];
    await until(async () => {
      const now = new Set(await firing());
      return wanted.every((name) => now.has(name));
    }, "they fire");
    expect([...new Set(await firing())].toSorted()).toEqual(wanted);
    for (const query of boardQueries()) {
      const asked = query.replaceAll(/\$\w+/g, "1m");
      const { status } =
        await (await fetch(`${api}/query?${new URLSearchParams({ query: asked })}`))
          .json();
      expect([query, status]).toEqual([query, "success"]);
    }
  });
});

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function boardQueries(): string[] {
  const { panels } = JSON.parse(read("grafana/stepwise.json"));
  return panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr)
  );
}

test("alerts and board ask for metrics that there are, all of which say what they are", async () => {
  const capacity = () => ({ batch: 1, queueLimit: 1, queued: 0, running: 0 });
  const source = { capacity, generators: () => [], workers: () => 0 };
  const texts = await Promise.all([
    new MinerMetrics(source).text(),
    new ValidatorMetrics({ miners: () => 0, block: () => 1 }).text(),
  ]);
  const there = [...texts.join("\n").matchAll(/^# HELP (\S+) (.*)$/gm)];
  for (const [, name, help] of there) {
    expect([name, help]).toEqual([name, expect.stringMatching(/\w+/)]);
  }
  const names = new Set(there.map(([, name]) => name));
  const asked = [read("prometheus/alerts.yml"), ...boardQueries()].join("\n").match(
    /stepwise_\w+/g,
  );
  const bases = new Set(asked?.map((name) => name.replace(/_bucket$/, "")));
  expect([...bases].filter((name) => !names.has(name))).toEqual([]);
});

test.skipIf(!tools.nginx)("nginx takes the sample, with a certificate of ours", async () => {
  const folder = await temporaryFolder();
  const [cert, key] = [join(folder, "fullchain.pem"), join(folder, "privkey.pem")];
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 " +
    "-subj /CN=stepwise -keyout";
  await run("openssl", ...args.split(" "), key, "-out", cert);
  await Deno.writeTextFile(
    join(folder, "nginx.conf"),
    `pid ${folder}/pid; error_log stderr; events {}
http { access_log off; ${read("nginx/stepwise.conf").replaceAll("/etc/stepwise/tls", folder)} }`,
  );
  expect(await run("nginx", "-t", "-p", folder, "-c", join(folder, "nginx.conf")))
    .toMatchObject({ code: 0 });
});

test.skipIf(!tools.systemd)("systemd takes the units", async () => {
  const folder = await temporaryFolder();
  const units = [...Deno.readDirSync(join(DEPLOY, "systemd"))].map(({ name }) => name);
  const paths = await Promise.all(units.map(async (name) => {
    const path = join(folder, name);
    // Where Deno is here; a container has no user of that name.
    const unit = read(`systemd/${name}`).replace("/usr/local/bin/deno", Deno.execPath())
      .replace("User=stepwise", "User=root");
    await Deno.writeTextFile(path, unit);
    return path;
  }));
  expect(await run("systemd-analyze", "verify", ...paths)).toEqual({ code: 0, words: "" });
});

test("commands in units, for pm2 and of the compose file have the flags that they are given", async () => {
  const { apps } = createRequire(import.meta.url)(join(DEPLOY, "pm2/ecosystem.config.cjs"));
  const lines: string[][] = apps.map(({ args }: { args: string[] }) => args);
  for (const name of ["axon", "worker", "validator"]) {
    const [, words] = /main\.ts (.*)$/m.exec(read(`systemd/stepwise-${name}.service`)) ?? [];
    lines.push((words ?? "").split(" "));
  }
  const compose = read("compose/compose.yaml");
  for (const [, list] of compose.matchAll(/command:\s*\[([^\]]*)\]/g)) {
    const words = [...list.matchAll(/"([^"]*)"/g)].map(([, word]) => word);
    if (words.includes("server/main.ts")) lines.push(words.slice(3));
  }
  expect(lines).toHaveLength(11);
  for (const [command, ...args] of lines) {
    const { stdout } = await runCli([command, "--help"]);
    for (const flag of args.filter((arg) => arg.startsWith("--"))) expect(stdout).toContain(flag);
  }
});
