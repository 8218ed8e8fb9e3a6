import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { join } from "node:path";
import {
  encryptKeyfile,
  newWallet,
  openWallet,
  type WalletPlace,
} from "../../../../server/chain/wallet/mod.ts";
import { rejection } from "../../../fixtures/rejection.ts";

let folder: string;
const place = (changes: Partial<WalletPlace> = {}): WalletPlace => ({
  path: folder,
  name: "default",
  hotkey: "default",
  network: "finney",
  ...changes,
});
// The phrase of Substrate's development keys, its mini secret and its address.
const PHRASE = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
const SEED = "0xfac7959dbfe72f052e5a0c3c8d6530f202b02fd8f9f5ca3580ec8deb7797479e";
const ADDRESS = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";

beforeAll(async () => {
  folder = await Deno.makeTempDir();
});
afterAll(() => Deno.remove(folder, { recursive: true }));

async function writeHotkey(name: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, "default", "hotkeys", name);
  await Deno.mkdir(join(folder, "default", "hotkeys"), { recursive: true });
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
}

describe("btcli's files are opened as they are", () => {
  test.each([
    ["phrase", { secretPhrase: PHRASE }],
    ["seed", { secretSeed: SEED }],
    ["both", { secretPhrase: PHRASE, secretSeed: SEED, ss58Address: ADDRESS, new_field: 1 }],
  ])("%s", async (name, file) => {
    await writeHotkey(name, JSON.stringify(file));
    const { hotkey, pair } = await openWallet(place({ hotkey: name }));
    expect(hotkey.address).toBe(ADDRESS);
    expect(
      pair.verify(
        "message",
        await hotkey.sign(new TextEncoder().encode("message")),
        pair.publicKey,
      ),
    ).toBe(true);
  });

  test("encrypted, with the right and the wrong password", async () => {
    const plain = new TextEncoder().encode(JSON.stringify({ secretSeed: SEED }));
    await writeHotkey("sealed", await encryptKeyfile(plain, "secret", new Uint8Array(24)));
    const opened = await openWallet(place({ hotkey: "sealed" }), () => Promise.resolve("secret"));
    expect(opened.hotkey.address).toBe(ADDRESS);
    const error = await rejection(
      openWallet(place({ hotkey: "sealed" }), () => Promise.resolve("other")),
    );
    expect(error).toMatchObject({ code: "wallet_invalid" });
    expect(error.message).toMatch(/hotkeys\/sealed: the password is wrong$/);
  }, 300_000);
});

test("what newWallet writes opens again, for its owner alone, and is never overwritten", async () => {
  const made = await newWallet({ path: folder, name: "fresh", hotkey: "miner" });
  const opened = await openWallet(place({ name: "fresh", hotkey: "miner" }));
  expect(opened.hotkey.address).toBe(made.hotkey);
  expect(opened.coldkey).toBe(made.coldkey);
  expect(made.files).toHaveLength(4);
  for (const file of made.files) {
    expect(((await Deno.stat(file)).mode ?? 0) & 0o777).toBe(0o600);
  }
  const again = await rejection(newWallet({ path: folder, name: "fresh", hotkey: "miner" }));
  expect(again.message).toMatch(/hotkeys\/miner is there already/);
  const second = await newWallet({ path: folder, name: "fresh", hotkey: "validator" });
  expect(second.coldkey).toBeUndefined();
});

describe("one line that says what to do", () => {
  test.each(
    [
      [
        "a wrong path",
        { path: "/nowhere" },
        "wallet_not_found",
        /\/nowhere\/default\/hotkeys\/default is not there; look at --wallet.path/,
      ],
      [
        "a development key on a real network",
        { hotkey: "//Alice" },
        "invalid_request",
        /use it with --subtensor.network devnet/,
      ],
      [
        "a name that leaves the folder",
        { hotkey: "../x" },
        "invalid_request",
        /is no name of a key/,
      ],
    ] as const,
  )("%s", async (_, changes, code, message) => {
    const error = await rejection(openWallet(place(changes)));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain("\n");
  });

  test.each([
    ["not JSON", "hello", /is no key file/],
    ["no secret", JSON.stringify({ ss58Address: ADDRESS }), /it has no secret/],
    [
      "another address",
      JSON.stringify({ secretSeed: SEED, ss58Address: "5Grw" }),
      /its address is 5Grw/,
    ],
    ["Ansible's format", "$ANSIBLE_VAULT;1.1;AES256", /encrypted as Ansible vault/],
    ["Fernet", "gAAAAABxyz", /encrypted as Fernet/],
  ])("a file with %s", async (name, content, message) => {
    await writeHotkey("odd", content);
    const error = await rejection(openWallet(place({ hotkey: "odd" })));
    expect(error, name).toMatchObject({ code: "wallet_invalid" });
    expect(error.message).toMatch(message);
  });
});

test("development keys are Substrate's", async () => {
  const { hotkey } = await openWallet(place({ hotkey: "//Alice", network: "devnet" }));
  expect(hotkey.address).toBe("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
});
