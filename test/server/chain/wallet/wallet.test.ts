import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { join } from "node:path";
import {
  encryptKeyfile,
  newPassword,
  newWallet,
  openWallet,
  walletPath,
  type WalletPlace,
} from "../../../../server/chain/wallet/mod.ts";
import { readHidden } from "../../../../server/chain/wallet/password.ts";
import { hexToU8a, u8aToHex } from "@polkadot/util";
import { cryptoWaitReady, sr25519PairFromSeed, sr25519Verify } from "@polkadot/util-crypto";
import { runCli, runProcess } from "../../../fixtures/cli.ts";
import { rejection } from "../../../fixtures/rejection.ts";

/** What libsodium derived its key from. */
const PASSWORD = vi.hoisted(() => "correct horse");

/** The derivation of a key takes seconds, on purpose: libsodium's is done whole, and once. */
vi.mock("hash-wasm", async (original) => {
  const real = await original<typeof import("hash-wasm")>();
  let whole: Promise<Uint8Array> | undefined;
  type Options = Parameters<typeof real.argon2i>[0];
  const argon2i = (options: Options) =>
    options.password === PASSWORD
      ? whole ??= real.argon2i({ ...options, outputType: "binary" })
      : real.argon2i({ ...options, iterations: 1, memorySize: 64 });
  return { ...real, argon2i };
});

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

const PUBLIC = "0x46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a";
// As btcli encrypts: by PyNaCl 1.6.2 (libsodium), of a key file with PHRASE, SEED and ADDRESS:
// nacl.pwhash.argon2i.kdf(32, b"correct horse", SALT, opslimit=8, memlimit=2**29), then
// b"$NACL" + nacl.secret.SecretBox(key).encrypt(plain, bytes(range(1, 25))).
const SEALED = Uint8Array.fromBase64(
  "JE5BQ0wBAgMEBQYHCAkKCwwNDg8QERITFBUWFxjrLWQCi5FYQrTa7JkkYLwlKQ7I8Xtb1jZ9+G4x6I6oHiK7dn94" +
    "UfUW0CGIbEJmnRs0772cRL85QX6ogQNA+c/88M90vvyCIGrZvPitzoEKYpInWRo/rMp1o8Hmnxb7LyAMXVOlnlsV" +
    "i+ngoxtuUkqfqcQmqzE0HqSaKF+h7MCq8VKuXuNlOZ4FRwoFftN3CYPfS0m6rQ6Y+2QTESkxtuQ1VbOzA6m2v2bp" +
    "mxVJlZqSPcI5ytooLZIh7S5ISXLxGBA57D3KR96XiySMsPo/D0v3Ugcmp9rnfhNGnDf6htybmvlLAMusDcHuLaZt" +
    "blvarh79uoFJ5eVZPFxHzUW+mTMQkf0GENRNFLbWoQCeGfa91MDM22fN3Dd7zzXeVTvVRiyj56eIUbgapSvnOf7R" +
    "O5S9CKkrcnq77FCa6VozTgwkkvmGC/zhjebX+1yE3pyGt5h0o0mHssN1S+nzHAJ4kI2tYmaxmxmqDVrzvB+1FpvJ" +
    "BEVeqovjkn4tGM4K66aaGxsvmx0RqdDeAkyjLOrT4+SVc5pAxwH77oxlmMQRKwSkt7UJiwFpkg==",
);

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

  // The secret of SEED by schnorrkel (polkadot's wasm), in the two ways that scalars are written:
  // as Ed25519's, and an eighth of it as schnorrkel itself and btwallet have it.
  test.each([["Ed25519's", 0n], ["schnorrkel's", 3n]])("%s private key", async (name, shift) => {
    await cryptoWaitReady();
    const { secretKey } = sr25519PairFromSeed(hexToU8a(SEED));
    const scalar = BigInt(u8aToHex(secretKey.slice(0, 32).reverse())) >> shift;
    const bytes = Uint8Array.fromHex(scalar.toString(16).padStart(64, "0")).reverse();
    const privateKey = u8aToHex(Uint8Array.from([...bytes, ...secretKey.subarray(32)]));
    await writeHotkey("bare", JSON.stringify({ privateKey, publicKey: PUBLIC }));
    const { hotkey, pair } = await openWallet(place({ hotkey: "bare" }));
    expect(hotkey.address, name).toBe(ADDRESS);
    const signature = await hotkey.sign(new TextEncoder().encode("message"));
    expect(sr25519Verify("message", signature, hexToU8a(PUBLIC))).toBe(true);
    expect(pair.address).toBe(ADDRESS);
  });

  test("encrypted by libsodium, with the right and the wrong password", async () => {
    await writeHotkey("sealed", SEALED);
    const opened = await openWallet(
      place({ hotkey: "sealed" }),
      () => Promise.resolve(PASSWORD),
    );
    expect(opened.hotkey.address).toBe(ADDRESS);
    const error = await rejection(
      openWallet(place({ hotkey: "sealed" }), () => Promise.resolve("other")),
    );
    expect(error).toMatchObject({ code: "wallet_invalid" });
    expect(error.message).toMatch(/hotkeys\/sealed: the password is wrong$/);
  });

  test("we encrypt as it does", async () => {
    const plain = JSON.stringify({
      ...{ accountId: PUBLIC, publicKey: PUBLIC, secretPhrase: PHRASE, secretSeed: SEED },
      ss58Address: ADDRESS,
    }).replaceAll(/("[:,])/g, "$1 ");
    const nonce = Uint8Array.from({ length: 24 }, (_, k) => k + 1);
    const sealed = await encryptKeyfile(new TextEncoder().encode(plain), PASSWORD, nonce);
    expect(sealed).toEqual(SEALED);
  });
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

describe("newWallet next to existing files", () => {
  test("the public half of a coldkey: none is made, it stays the owner's", async () => {
    const owner = await newWallet({ path: folder, name: "owner", hotkey: "first" });
    await Deno.mkdir(join(folder, "miner"));
    const [from, to] = ["owner", "miner"].map((name) => join(folder, name, "coldkeypub.txt"));
    await Deno.copyFile(from, to);
    const made = await newWallet({ path: folder, name: "miner", hotkey: "second" });
    expect(made.coldkey).toBeUndefined();
    const { coldkey, hotkey } = await openWallet(place({ name: "miner", hotkey: "second" }));
    expect(coldkey).toBe(owner.coldkey);
    expect(hotkey.address).toBe(made.hotkey);
    expect(await filesOf("miner")).toEqual(["coldkeypub.txt", "second", "secondpub.txt"]);
  });

  test("a public half of the hotkey is not written over, and nothing is written", async () => {
    await Deno.mkdir(join(folder, "half", "hotkeys"), { recursive: true });
    await Deno.writeTextFile(join(folder, "half", "hotkeys", "minerpub.txt"), "{}");
    const error = await rejection(newWallet({ path: folder, name: "half", hotkey: "miner" }));
    expect(error).toMatchObject({ code: "invalid_request" });
    expect(error.message).toMatch(/hotkeys\/minerpub.txt is there already/);
    expect(await filesOf("half")).toEqual(["minerpub.txt"]);
  });

  test("a password that is not given: nothing is written", async () => {
    const none = await rejection(newWallet({
      ...{ path: folder, name: "none", hotkey: "miner" },
      password: (path) => newPassword(path, () => undefined),
    }));
    expect(none.message).toMatch(
      /^Cannot encrypt .*none\/coldkey: there is no password; .*--no-use-password$/,
    );
    const typed = ["one", "another"];
    const different = await rejection(newWallet({
      ...{ path: folder, name: "none", hotkey: "miner" },
      password: (path) => newPassword(path, () => typed.shift()),
    }));
    expect(different.message).toMatch(/the two passwords are not the same$/);
    expect(await filesOf("none")).toEqual([]);
  });

  test("a password that is typed: letters can be taken back, and Ctrl-C ends the prompt", () => {
    const type = (text: string) => {
      const bytes = [...new TextEncoder().encode(text)];
      return readHidden(() => bytes.shift());
    };
    expect(type("geh\x7f\u00fc\x7fheim\rmore")).toBe("geheim");
    expect(type("at the end")).toBe("at the end");
    // Read as a byte: a signal would leave the terminal without its echo.
    expect(() => type("geh\x03")).toThrow("Cannot ask for a password: it was cancelled");
  });

  test("a file that cannot be written: nothing stays", async () => {
    const name = "full";
    const error = await rejection(newWallet({
      ...{ path: folder, name, hotkey: "miner" },
      // The last moment before the files are written: the coldkey's name is taken by now.
      password: async () => {
        await Deno.mkdir(join(folder, name, "coldkey"), { recursive: true });
        return "secret";
      },
    }));
    expect(error).toMatchObject({ code: "storage_failed" });
    expect(await filesOf(name)).toEqual([]);
  });

  test("as a command: no terminal and no variable, or none wanted", async () => {
    const flags = ["--wallet.path", folder, "--wallet.name", "cli", "--wallet.hotkey", "miner"];
    const asked = await runProcess(["wallet", "new", ...flags], { STEPWISE_WALLET_PASSWORD: "" });
    expect(asked).toMatchObject({ code: 2, stdout: "" });
    expect(asked.stderr).toMatch(/^Cannot encrypt .*there is no password/);
    const plain = await runCli(["wallet", "new", ...flags, "--no-use-password"]);
    expect(plain).toMatchObject({ code: 0, stderr: "" });
    expect(plain.stdout).toContain("NOT encrypted");
    expect(await filesOf("cli")).toEqual(["coldkey", "coldkeypub.txt", "miner", "minerpub.txt"]);
  });

  test("takes bittensor's variables where no flag says otherwise", async () => {
    const named = { BT_WALLET_PATH: folder, BT_WALLET_NAME: "env", BT_WALLET_HOTKEY: "h" };
    const made = await runProcess(["wallet", "new", "--no-use-password"], named);
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(await filesOf("env")).toEqual(["coldkey", "coldkeypub.txt", "h", "hpub.txt"]);
    const shown = await runProcess(["wallet", "show"], named);
    const address = /hotkey +(\w+)/.exec(made.stdout)?.[1];
    expect(shown.stdout).toContain(`hotkey  ${address}`);
  });
});

/** Names of the files in a wallet's folder, and under it. */
async function filesOf(name: string): Promise<string[]> {
  const files: string[] = [];
  for (const part of ["", "hotkeys"]) {
    try {
      for await (const { name: file, isFile } of Deno.readDir(join(folder, name, part))) {
        if (isFile) files.push(file);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return files.sort();
}

test("a file that is there and cannot be read is not taken for one that is missing", async () => {
  await Deno.mkdir(join(folder, "default", "hotkeys", "directory"), { recursive: true });
  const error = await rejection(openWallet(place({ hotkey: "directory" })));
  expect(error).toMatchObject({ code: "wallet_invalid" });
  expect(error.message).toMatch(/hotkeys\/directory: it is there and cannot be read \(.*directory/);
});

describe("one line that says what to do", () => {
  test.each(
    [
      [
        "a wrong path",
        { path: "/nowhere" },
        "wallet_not_found",
        /\/nowhere\/default\/hotkeys\/default is not there; check --wallet.path/,
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
    [
      "a private key of another",
      JSON.stringify({ privateKey: `0x${"11".repeat(64)}`, publicKey: PUBLIC }),
      /its private key is not that of 0x46eb/,
    ],
    [
      "a private key alone",
      JSON.stringify({ privateKey: `0x${"11".repeat(64)}` }),
      /no public key/,
    ],
    ["a short private key", JSON.stringify({ privateKey: "0x11" }), /is not 64 bytes/],
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

describe("a file whose secret is none opens no key, and says so in one line", () => {
  test.each([
    [
      "four words",
      { secretPhrase: "abandon abandon foo bar" },
      /its secret phrase is none of BIP39/,
    ],
    ["a password behind it", { secretPhrase: `${PHRASE}///oops` }, /none of BIP39/],
    ["a path behind it", { secretPhrase: `${PHRASE}//hard` }, /none of BIP39/],
    ["a development key", { secretPhrase: "//Alice" }, /none of BIP39/],
    ["a wrong checksum", { secretPhrase: PHRASE.replace("walk", "wall") }, /none of BIP39/],
    ["a short seed", { secretSeed: "0x1234" }, /its seed is not 32 bytes in hexadecimal/],
    ["a seed of words", { secretSeed: PHRASE }, /its seed is not 32 bytes/],
    ["a number", { secretPhrase: 5 }, /its secretPhrase is no text/],
    ["text alone", "zzzz", /it is no key file/],
    ["a number alone", 123, /it is no key file/],
    ["a list", [PHRASE], /it is no key file|it has no secret/],
  ])("%s", async (_, keyfile, why) => {
    await writeHotkey("none", JSON.stringify(keyfile));
    const error = await rejection(openWallet(place({ hotkey: "none" })));
    expect(error).toMatchObject({ code: "wallet_invalid", message: expect.stringMatching(why) });
    expect(error.message).toContain(join("hotkeys", "none"));
    // A secret is not shown, nor half of one.
    expect(error.message).not.toMatch(/bottom drive|abandon|0x1234/);
  });

  test("btwallet's nulls are fields that are not there", async () => {
    await writeHotkey("nulls", JSON.stringify({ secretPhrase: PHRASE, secretSeed: null }));
    expect((await openWallet(place({ hotkey: "nulls" }))).hotkey.address).toBe(ADDRESS);
  });
});

test("btcli's password variable that is not base64 is one error that names it", async () => {
  const path = join(folder, "default", "hotkeys", "sealed");
  const variable = `BT_PW_${path.replace(/[/\\.]/g, "_").toUpperCase()}`;
  await writeHotkey("sealed", SEALED);
  vi.stubEnv(variable, "no base64!");
  onTestFinished(() => void vi.unstubAllEnvs());
  const opening = (async () => await openWallet(place({ hotkey: "sealed" })))();
  expect(await rejection(opening)).toMatchObject({
    code: "wallet_invalid",
    message: `Cannot read the password: ${variable} is not base64, as btcli writes it`,
  });
});

test("~ is the user's own folder, which no shell puts in after an equals sign", () => {
  vi.stubEnv("HOME", "/home/u");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(["~", "~/wallets", "/a/~", "a~"].map(walletPath))
    .toEqual(["/home/u", "/home/u/wallets", "/a/~", "a~"]);
});

test("development keys are Substrate's", async () => {
  const { hotkey } = await openWallet(place({ hotkey: "//Alice", network: "devnet" }));
  expect(hotkey.address).toBe("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
});
