import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gpusOf, variablesOf } from "../../../server/miner/gpu_processes.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { temporaryFolder } from "../../fixtures/temporary_folder.ts";

/** A bus with a bridge, two 3D controllers (0x0302) and a VGA controller (0x0300), as sysfs shows it. */
async function machine(): Promise<string> {
  const folder = await temporaryFolder();
  const classes = {
    "0000:00:01.0": "0x060400",
    "0000:41:00.0": "0x030200",
    "0000:02:00.0": "0x030000",
    "0000:81:00.1": "0x030200",
  };
  for (const [bus, text] of Object.entries(classes)) {
    await Deno.mkdir(join(folder, bus));
    await Deno.writeTextFile(join(folder, bus, "class"), `${text}\n`);
  }
  return folder;
}

describe("gpusOf", () => {
  test("numbers the GPUs in the bus' order, all or those that are named", async () => {
    const folder = await machine();
    const all = ["0000:02:00.0", "0000:41:00.0", "0000:81:00.1"]
      .map((bus, index) => ({ index, bus }));
    expect(await gpusOf("all", folder)).toEqual(all);
    expect(await gpusOf("0,2", folder)).toEqual([all[0], all[2]]);
  });

  test.each(["3", "0,x", "", "-1"])("refuses --gpus %j, and says which there are", async (list) => {
    expect(await rejection(gpusOf(list, await machine()))).toMatchObject({
      code: "invalid_request",
      message: expect.stringMatching(/not all or numbers from 0 to 2 with commas$/),
    });
  });

  test("says that there is none", async () => {
    expect(await rejection(gpusOf("all", await temporaryFolder())))
      .toMatchObject({ code: "host_unavailable" });
  });
});

test("each process is shown one GPU, by what Mesa's and NVIDIA's drivers read", () => {
  expect(variablesOf({ index: 2, bus: "0000:81:00.1" })).toMatchObject({
    DRI_PRIME: "pci-0000_81_00_1",
    NVIDIA_VISIBLE_DEVICES: "2",
  });
});
