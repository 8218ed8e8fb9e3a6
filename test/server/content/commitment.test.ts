import { expect, onTestFinished, test } from "vitest";
import { connect, startSubnet } from "../chain/devnet/small_subnet.ts";
import { Publications } from "../../../server/content/publications.ts";
import { Publisher } from "../../../server/content/publisher.ts";
import { publishedPiece } from "../../fixtures/published_piece.ts";

test("a batch's root is on the chain under the server's hotkey", async () => {
  const { devnet, alice } = await startSubnet();
  onTestFinished(() => devnet[Symbol.asyncDispose]());
  await using client = await connect(devnet);
  using publications = new Publications(":memory:");
  await publishedPiece(publications, 1);
  const publisher = new Publisher({
    ...{ publications, now: Date.now },
    store: { put: () => Promise.resolve(), get: () => Promise.resolve(undefined) },
    safety: { screen: () => expect.fail(), screenImage: () => expect.fail() },
    commit: (root) => client.setCommitment(root, alice),
  });
  const batch = await publisher.batch();
  expect(await client.commitmentOf(alice.address)).toBe(batch?.root);
});
