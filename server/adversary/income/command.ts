import { Command } from "commander";
import { numberFlag, wholeFlag } from "../../cli/mod.ts";
import { type Earned, type Outcome, simulateIncome } from "./income.ts";
import { STRATEGIES } from "./strategies.ts";

interface IncomeFlags {
  readonly miners: string;
  readonly hours: string;
  readonly users: string;
  readonly rest: string;
  readonly "hotkey.cost": string;
  readonly permits: boolean;
  readonly seed: string;
  readonly json: boolean;
}

const HELP = `
The validator's own loops, ledger and weights run in simulated time; machines, checks and users are
simulated. A miner knows tests from users' requests, which in earnest it does not.
`;

export function incomeCommand(): Command {
  return new Command("income")
    .description("What each way to work earns a machine, beside honesty, in a simulated subnet.")
    .option("--miners <n>", "uids of the subnet; those that no strategy takes are honest", "256")
    .option("--hours <n>", "for which it is watched", "168")
    .option("--users <n>", "requests of users an hour", "1800")
    .option("--rest <seconds>", "from one window of tests to the next, on average", "1800")
    .option("--hotkey.cost <share>", "of what an honest machine earns in the time", "0")
    .option("--no-permits", "miners serve every neuron, and so those that relay")
    .option("--seed <n>", "of all that chance decides", "1")
    .option("--json", "print the findings as JSON", false)
    .addHelpText("after", HELP)
    .action(income);
}

async function income(flags: IncomeFlags): Promise<void> {
  const outcome = await simulateIncome(STRATEGIES, {
    miners: wholeFlag("--miners", flags.miners, 32, 4096),
    hours: numberFlag("--hours", flags.hours, 2, 10_000),
    usersPerHour: numberFlag("--users", flags.users, 1, 1e6),
    rest: numberFlag("--rest", flags.rest, 1, 86_400),
    hotkeyCost: numberFlag("--hotkey.cost", flags["hotkey.cost"], 0, 0.5),
    permits: flags.permits,
    seed: wholeFlag("--seed", flags.seed, 0, 2 ** 31),
  });
  console.log(flags.json ? JSON.stringify(outcome) : incomeTable(outcome));
}

const NAME_WIDTH = 44;

function incomeTable({ earned, served }: Outcome): string {
  const line = (name: string, cells: readonly string[]) =>
    name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(10)).join("");
  const row = ({ name, hotkeys, machines, income }: Earned) =>
    line(name, [String(hotkeys), String(machines), income.toFixed(3)]);
  return [
    line("Way to work", ["hotkeys", "machines", "income"]),
    ...earned.map(row),
    "income: of a machine and hour, over an honest one's; who has no machine is compared with one.",
    `${(100 * served).toFixed(1)} % of users' requests were answered.`,
  ].join("\n");
}
