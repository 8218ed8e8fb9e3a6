// pm2 start server/deploy/pm2/ecosystem.config.cjs --only stepwise-worker
// One GPU: `gpus: "0"`. Several machines: the same on each, with the same cluster.
const cluster = process.env.STEPWISE_CLUSTER ?? "nats://127.0.0.1:4222";
const wallet = process.env.STEPWISE_WALLET_NAME ?? "default";

const app = (name, args) => ({
  name,
  args,
  cwd: `${__dirname}/../../..`,
  script: "server/main.ts",
  interpreter: "deno",
  interpreter_args: "run -A",
  // SIGINT is pm2's signal; what runs is finished first.
  kill_timeout: 300_000,
  env: { STEPWISE_WALLET_NAME: wallet, STEPWISE_LOG: "json" },
});

module.exports = {
  apps: [
    app("stepwise-axon", ["miner", "--cluster", cluster]),
    app("stepwise-worker", ["worker", "--cluster", cluster, "--gpus", "all"]),
    app("stepwise-validator", ["validator"]),
  ],
};
