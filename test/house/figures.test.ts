import { expect, test } from "vitest";
import { houseFigures } from "./figures.ts";

const passage = ["one", "two", "three", "four", "five", "six"]
  .map((name) => `  const ${name} = measure("${name}", options);`).join("\n");

test("houseFigures counts functions, doors, assertions, circles and repeated passages", () => {
  const figures = houseFigures([
    { path: "core/a/mod.ts", text: `export { a, type A } from "./a.ts";` },
    {
      path: "core/a/a.ts",
      text: `import { b } from "../b/mod.ts";\nfunction f() {\n${passage}\n}`,
    },
    { path: "core/b/mod.ts", text: `/** The room. */\nexport { b } from "./b.ts";` },
    {
      path: "core/b/b.ts",
      text: `import { a } from "../a/mod.ts";\nconst g = () => {\n${passage}\n};`,
    },
    { path: "core/c.ts", text: `const x = y as number;\nconst z = ["a"] as const;` },
    { path: "test/d.ts", text: `const x = y as number;` },
  ]);
  expect(figures).toMatchObject({
    "files": 5,
    "lines a function, median / p90": "8 / 8",
    "names a door, median / widest": "2 / 2",
    "doors without a comment": 1,
    "folder circles": 1,
    "repeated passages of six lines": 1,
    "`as` a thousand lines": (1000 / 23).toFixed(2),
  });
});
