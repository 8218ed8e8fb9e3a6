import { join } from "node:path";
import { expect, test } from "vitest";
import { Screen } from "../../../server/demo/screen.ts";
import { type MinerRow, minerTable } from "../../../server/demo/table.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** What a terminal shows: its rows, as the screen's two escape sequences leave them. */
function terminal(columns: number, live = true) {
  const rows: string[] = [];
  const line = (text: string) => {
    for (const each of text.split("\n")) {
      rows.push(...each.match(new RegExp(`.{1,${columns}}`, "g")) ?? [""]);
    }
  };
  const control = (sequence: string) => {
    const [, up] = sequence.split(/\[(\d+)A\r.\[0J$/);
    rows.splice(rows.length - Number(up), Infinity);
  };
  return { rows, terminal: { live, columns: () => columns, line, control } };
}

test.each([80, 10, 7, 3])(
  "at %i columns a picture takes the place of the one before",
  (columns) => {
    const { rows, terminal: own } = terminal(columns);
    const screen = new Screen(own);
    screen.say("it starts");
    for (const second of [1, 2, 3]) screen.show(`ten digits\n\n${second} s of twenty`);
    screen.say("it ends");
    expect(rows.join("")).toBe("it startsit ends");
  },
);

test("the last picture stays when it is said", () => {
  const { rows, terminal: own } = terminal(80);
  const screen = new Screen(own);
  screen.show("picture 1");
  screen.show("picture 2");
  screen.say("picture 2");
  screen.say("done");
  expect(rows).toEqual(["picture 2", "done"]);
});

test("without a terminal, what changes is not printed", () => {
  const { rows, terminal: own } = terminal(80, false);
  const screen = new Screen(own);
  screen.show("picture 1");
  screen.say("done");
  expect([rows, screen.columns]).toEqual([["done"], Infinity]);
});

test("a reader that stops reading stops nothing", async () => {
  const main = join(await temporaryFolder(), "main.ts");
  const screen = new URL("../../../server/demo/screen.ts", import.meta.url);
  await Deno.writeTextFile(
    main,
    `import { Screen } from "${screen}";
     for await (const _ of Deno.stdin.readable);
     for (const second of [1, 2, 3]) new Screen().say(String(second));`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: ["run", "--quiet", main], stdin: "piped", stdout: "piped", stderr: "null" },
  }).spawn();
  await child.stdout.cancel();
  await child.stdin.close();
  expect((await child.status).code).toBe(0);
});

const ROW: MinerRow = {
  ...{ name: "Eve (cheats)", uid: 3, rps: 5.17, similarity: 0, velocityError: 0.33, checks: 10 },
  ...{ served: 10, failed: 1, why: "suspect: step 3", weight: 50, incentive: 50, emission: 2.46e9 },
};

test("the table leaves out what matters least until it fits a terminal", () => {
  const head = (width?: number) => minerTable([ROW], width).split("\n")[0].split(/ {2,}/);
  const whole = head();
  expect(whole).toHaveLength(12);
  expect(head(120)).toEqual(whole);
  expect(head(110)).toEqual(whole.filter((name) => name !== "velocity error"));
  for (const line of minerTable([ROW], 80).split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(head(80)).toEqual(expect.arrayContaining(["verdict", "weight", "TAO earned"]));
  // Nothing is left to leave out.
  expect(head(1)).toEqual([
    ...["miner", "uid", "images/s", "similarity", "verdict", "weight", "TAO earned"],
  ]);
});
