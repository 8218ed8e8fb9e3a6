import { bytesToHex } from "@noble/hashes/utils.js";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { AppError } from "../../../core/error.ts";
import { encodeImage } from "../../../core/image/mod.ts";
import { openHotkey } from "../../../core/keys/mod.ts";
import { fileHash, receiptId } from "../../../core/transcript/mod.ts";
import { verifyBatch } from "../../../server/content/batch.ts";
import { writeCar } from "../../../server/content/car.ts";
import { bucketStore, folderStore } from "../../../server/content/object_store.ts";
import { Earnings } from "../../../server/content/earnings.ts";
import { Publications } from "../../../server/content/publications.ts";
import { Publisher } from "../../../server/content/publisher.ts";
import { contentRoutes } from "../../../server/content/routes.ts";
import { submissionMessage } from "../../../server/content/mod.ts";
import { checkSubmission } from "../../../server/content/submission.ts";
import { SpreadStore, Virality } from "../../../server/virality/mod.ts";
import { inventedReceipt, SMALL_REQUEST } from "../../fixtures/receipt.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { samplePictures } from "../../fixtures/sample_pictures.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

const [miner, mara, noor] = ["11", "22", "33"].map((byte) => openHotkey(byte.repeat(32)));
const REQUEST = { ...SMALL_REQUEST, width: 192, height: 192 };

/** Of pictures that tau-tiny made, as their creators would send them. */
let files: readonly Uint8Array<ArrayBuffer>[];
beforeAll(async () => {
  const pictures = await samplePictures();
  files = await Promise.all([2, 8, 14].map((k) => encodeImage(pictures[k], "png")));
});

async function submission(
  file: Uint8Array<ArrayBuffer>,
  creator = mara,
  caption = "mine <3",
  more: Parameters<typeof inventedReceipt>[2] = {},
) {
  const image = { sha256: fileHash(file), mediaType: "image/png" as const, bytes: file.length };
  const receipt = await inventedReceipt(miner, REQUEST, { image, ...more });
  const message = submissionMessage({ id: receiptId(receipt), sha256: image.sha256, caption });
  const signature = bytesToHex(await creator.sign(message));
  return { receipt, image: file.toBase64(), caption, creator: creator.address, signature };
}

function publishing(
  folder: string,
  parts: Partial<ConstructorParameters<typeof Publisher>[0]> = {},
  userOf?: Parameters<typeof contentRoutes>[0]["userOf"],
) {
  const publications = new Publications(":memory:");
  onTestFinished(() => publications[Symbol.dispose]());
  const safety = {
    screen: () => ({ action: "pass" as const, findings: [] }),
    screenImage: () => Promise.resolve({ action: "pass" as const, findings: [] }),
  };
  const store = folderStore(folder);
  const publisher = new Publisher({ publications, store, safety, now: Date.now, ...parts });
  const spread = new SpreadStore(":memory:");
  onTestFinished(() => spread[Symbol.dispose]());
  const [now, piece] = [Date.now, (id: string) => publications.carried(id)];
  const virality = new Virality({ store: spread, networks: {}, piece, now });
  const app = contentRoutes({
    ...{ publisher, publications, virality, userOf, base: "http://base", log: console.error },
    earnings: new Earnings({ publications, virality, now }),
  });
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.request("/v1/content", { method: "POST", headers, body: JSON.stringify(body) });
  return { publications, publisher, store, app, post };
}

describe("POST /v1/content", () => {
  test("takes a picture with its receipt and its creator's signature, and scores it", async () => {
    const { post, app } = publishing(await temporaryFolder());
    const response = await post(await submission(files[0]));
    expect(response.status).toBe(201);
    const { id, scores, url } = await response.json();
    expect(scores).toMatchObject({ novelty: { value: 1 }, detail: { value: expect.any(Number) } });
    expect(scores.detail.value).toBeGreaterThan(0.3);
    const image = await app.request(url.replace("http://base", ""));
    expect(new Uint8Array(await image.arrayBuffer())).toEqual(files[0]);
    const { pieces } = await (await app.request("/v1/content")).json();
    expect(pieces.map((piece: { id: string }) => piece.id)).toEqual([id]);
  });

  test("refuses with a reason: another's signature, another file, a copy, a repeat", async () => {
    const { post } = publishing(await temporaryFolder());
    const first = await submission(files[0]);
    expect((await post(first)).status).toBe(201);
    const refused = async (body: unknown) => {
      const { error } = await (await post(body)).json();
      return `${error.code}: ${error.message}`;
    };
    expect(await refused({ ...await submission(files[1]), creator: noor.address }))
      .toMatch(/^signature_invalid: .* is not that of /);
    expect(await refused({ ...await submission(files[1]), image: files[2].toBase64() }))
      .toMatch(/^receipt_mismatch: /);
    expect(await refused(first)).toMatch(/ is published already$/);
    // A stolen picture: a new receipt of another creator over the same pixels. The earlier one stays.
    expect(await refused(await submission(files[0], noor))).toMatch(/ is a copy of [0-9a-f]+$/);
    expect(await refused({ ...first, caption: 7 })).toMatch(/^invalid_request: .*caption is 7/);
  });

  test("of a user with an API key is signed by the operator, who vouches for them", async () => {
    const { post, publisher, store } = publishing(
      await temporaryFolder(),
      { operator: { address: noor.address, sign: noor.sign } },
      (authorization) => authorization === "Bearer key" ? "ab12" : undefined,
    );
    const { receipt, image } = await submission(files[0]);
    const body = { receipt, image, caption: "by key" };
    expect((await post(body)).status).toBe(400);
    const response = await post(body, { authorization: "Bearer key" });
    expect(response.status).toBe(201);
    expect((await response.json()).creator).toBe(`${noor.address}/ab12`);
    // Nobody else's name goes with the operator's signature, nor the operator's own.
    const { cid } = await publisher.batch() ?? { cid: "" };
    const car = await store.get(`${cid}.car`) ?? new Uint8Array();
    const { index: { pieces: [piece] } } = await verifyBatch(car);
    for (const creator of [`${noor.address}/other`, noor.address]) {
      const given = { ...piece, image: files[0], creator };
      expect(() => checkSubmission(given, Date.now())).toThrow("the signature is not that of");
    }
  });

  test("the first published stands: a copy's receipt may say any time", async () => {
    const { post, app } = publishing(await temporaryFolder());
    await post(await submission(files[0], mara));
    const backdated = await submission(files[0], noor, "", { times: { started: 0, finished: 1 } });
    expect((await (await post(backdated)).json()).error.message).toMatch(/ is a copy of /);
    const { pieces } = await (await app.request("/v1/content")).json();
    expect(pieces).toMatchObject([{ creator: mara.address }]);
  });

  test("refuses what is not for everybody", async () => {
    const { post, publications } = publishing(await temporaryFolder(), {
      safety: {
        screen: () => ({ action: "block", findings: ['the prompt says "x"'] }),
        screenImage: () => Promise.resolve({ action: "pass", findings: [] }),
      },
    });
    expect((await post(await submission(files[0]))).status).toBe(400);
    expect(publications.list(5)).toEqual([]);
  });
});

describe("who sends pieces", () => {
  const nothing = { publications: new Publications(":memory:"), base: "", log: console.error };
  const routes = (parts: Partial<Parameters<typeof contentRoutes>[0]>) =>
    contentRoutes({
      ...nothing,
      publisher: { publish: () => expect.fail() },
      virality: { name: () => expect.fail(), posts: () => [] },
      earnings: { spread: () => expect.fail(), now: () => expect.fail() },
      ...parts,
    });
  const send = (app: ReturnType<typeof routes>, authorization = "") =>
    app.request("/v1/content", { method: "POST", headers: { authorization }, body: "{}" });

  test("has a few in work at once, and none by a key that is not known", async () => {
    const gate = Promise.withResolvers<never>();
    const app = routes({
      publisher: { publish: () => gate.promise },
      userOf: (key = "") => {
        if (key.startsWith("bad")) throw new AppError("not_allowed", "Cannot publish: bad key");
        return key || undefined;
      },
    });
    expect((await send(app, "bad")).status).toBe(403);
    const waiting = [send(app), send(app)];
    expect((await send(app)).status).toBe(429);
    // Another sender has places of its own.
    waiting.push(send(app, "user"));
    gate.reject(new AppError("invalid_request", "Cannot publish: enough"));
    for (const answer of waiting) expect((await answer).status).toBe(400);
    expect((await send(app)).status).toBe(400);
  });

  test("sends so many in a minute, also those that are refused", async () => {
    const refused = new AppError("invalid_request", "Cannot publish: no");
    const app = routes({ publisher: { publish: () => Promise.reject(refused) } });
    const statuses = [];
    for (let k = 0; k < 31; k++) statuses.push((await send(app)).status);
    expect(statuses).toEqual([...Array<number>(30).fill(400), 429]);
  });
});

test("what all pieces go into is worked out once, however often it is asked for", async () => {
  let made = 0;
  const parts = {
    ...{ publications: new Publications(":memory:"), base: "", log: console.error },
    publisher: { publish: () => expect.fail() },
    virality: { name: () => expect.fail(), posts: () => [] },
    earnings: { spread: () => expect.fail(), now: () => ({ at: ++made, creators: [] }) },
  };
  const app = contentRoutes(parts);
  for (let k = 0; k < 3; k++) {
    expect(await (await app.request("/v1/content/earnings")).json()).toMatchObject({ at: 1 });
  }
});

describe("a batch", () => {
  test("is stored, committed to, and verified by its archive alone; once", async () => {
    const committed: string[] = [];
    const commit = (root: Uint8Array) => Promise.resolve(committed.push(bytesToHex(root)));
    const { post, publisher, store } = publishing(await temporaryFolder(), { commit });
    for (const [k, creator] of [mara, noor, mara].entries()) {
      expect((await post(await submission(files[k], creator))).status).toBe(201);
    }
    const batch = await publisher.batch();
    if (!batch) throw new Error("Cannot go on: nothing waited");
    expect(committed).toEqual([batch.root]);
    const car = await store.get(`${batch.cid}.car`);
    const { cid, index } = await verifyBatch(car ?? new Uint8Array());
    expect([cid, index.root, index.pieces.length]).toEqual([batch.cid, batch.root, 3]);
    expect(await publisher.batch()).toBeUndefined();
  });

  test("has so many bytes of files at most: what waits beyond is the next one's", async () => {
    const maxBytes = files[0].length + files[1].length;
    const { post, publisher, publications } = publishing(await temporaryFolder(), { maxBytes });
    for (const file of files) await post(await submission(file));
    const sizes = [];
    while (await publisher.batch()) sizes.push(publications.waiting(9, Infinity).length);
    expect(sizes).toEqual([1, 0]);
  });

  test("that could not be committed to is made again, the same whatever is published since", async () => {
    let fails = true;
    const committed: string[] = [];
    const commit = (root: Uint8Array) => {
      committed.push(bytesToHex(root));
      return fails ? Promise.reject(new Error("no chain")) : Promise.resolve();
    };
    const { post, publisher, publications, store } = publishing(await temporaryFolder(), {
      commit,
    });
    await post(await submission(files[0]));
    expect(await rejection(publisher.batch())).toMatchObject({ message: "no chain" });
    expect(publications.batches()).toEqual([]);
    await post(await submission(files[1]));
    fails = false;
    const first = await publisher.batch();
    expect(first).toMatchObject({ epoch: 1, root: committed[0] });
    const { index } = await verifyBatch(await store.get(`${first?.cid}.car`) ?? new Uint8Array());
    expect(index.pieces).toHaveLength(1);
    expect(await publisher.batch()).toMatchObject({ epoch: 2 });
    expect(await publisher.batch()).toBeUndefined();
  });

  test("with one flipped bit anywhere is refused", async () => {
    const { post, publisher, store } = publishing(await temporaryFolder());
    await post(await submission(files[0]));
    const { cid } = await publisher.batch() ?? { cid: "" };
    const car = await store.get(`${cid}.car`) ?? new Uint8Array();
    for (const share of [0.1, 0.5, 0.9, 0.999]) {
      const damaged = car.slice();
      damaged[Math.floor(share * car.length)] ^= 1;
      expect(await rejection(verifyBatch(damaged))).toMatchObject({ code: "download_failed" });
    }
  });
});

test("an archive has the CIDs of `ipfs add --cid-version=1`", async () => {
  // Of IPFS's own documentation: this line is bafkreif...devei4 everywhere.
  const hello = { path: "hello.txt", bytes: new TextEncoder().encode("hello world\n") };
  const { car } = await writeCar([hello]);
  const { CarReader } = await import("@ipld/car");
  const blocks = await Array.fromAsync((await CarReader.fromBytes(car)).blocks());
  expect(blocks.map(({ cid }) => cid.toString())).toContain(
    "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4",
  );
});

describe("feeds", () => {
  test("JSON Feed and Atom show a piece, and no words of its creator are markup", async () => {
    const { post, app } = publishing(await temporaryFolder());
    await post(await submission(files[0], mara, "<script>alert('&')</script>\u0001"));
    const { items } = await (await app.request("/v1/content/feed.json")).json();
    expect(items).toHaveLength(1);
    const atom = await (await app.request("/v1/content/atom.xml")).text();
    expect(atom).toContain("<title>&lt;script&gt;alert(&apos;&amp;&apos;)&lt;/script&gt;</title>");
    expect(atom).toContain(items[0].image);
  });
});

test("a bucket of S3 keeps a batch, and says so when it cannot", async () => {
  const { default: S3rver } = await import("s3rver");
  const server = new S3rver({
    ...{ address: "127.0.0.1", port: 0, silent: true, directory: await temporaryFolder() },
    configureBuckets: [{ name: "batches", configs: [] }],
  });
  const { port } = await server.run();
  onTestFinished(() => server.close());
  const keys = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  const store = bucketStore({ url: `http://127.0.0.1:${port}/batches`, ...keys });
  await store.put("bafy.car", files[0]);
  expect(await store.get("bafy.car")).toEqual(files[0]);
  expect(await store.get("other.car")).toBeUndefined();
  const missing = bucketStore({ url: `http://127.0.0.1:${port}/nowhere`, ...keys });
  expect(await rejection(missing.put("a.car", files[0]))).toMatchObject({ code: "storage_failed" });
});
