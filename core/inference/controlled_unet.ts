import {
  controlFiles,
  controlledUnetFiles,
  type ModelFiles,
  type NetworkFiles,
  type PartFiles,
} from "../model/mod.ts";
import { ControlNet } from "./control_net.ts";
import type { Graph } from "./graph.ts";
import { once } from "./once.ts";
import { type OpenableGraph, openableGraph } from "./openable_graph.ts";
import { requireSamePlaces, sumGraph } from "./residuals.ts";
import type { Runtime, Session } from "./runtime.ts";
import { Unet } from "./unet.ts";
import { writtenGraph } from "./written_graph.ts";

/** A UNet, and ControlNets that add to it. */
export interface ControlledUnet {
  readonly unet: Unet;
  /** One for each name. */
  readonly nets: readonly ControlNet[];
  /** Adds up what two of them make, on a device; see `sumGraph`. */
  readonly sum: () => Promise<Session>;
}

/** A model that is being loaded. */
interface Loading {
  readonly files: ModelFiles;
  readonly runtime: Runtime;
  /** The UNet of requests without control. */
  readonly own: Unet;
  /** Opens a part that the model then owns. */
  readonly open: (part: string, from: OpenableGraph) => Promise<Graph>;
}

/** A model that was opened with ControlNets has one UNet for all requests: a second is as large again. */
export function takesResiduals({ controls = [] }: ModelFiles, network: NetworkFiles): boolean {
  return controls.length > 0 && !("graph" in network);
}

/** Opens ControlNets and their UNet when they are first asked for, each once. */
export function controlledBy(
  { files, runtime, own, open }: Loading,
): (networks: readonly string[]) => Promise<ControlledUnet> {
  const openPart = async ({ part, network }: PartFiles) => {
    const residuals = part === "unet";
    return await open(part, await openableGraph(runtime, files, part, network, { residuals }));
  };
  const unet = once(async () =>
    own.residuals.size > 0 ? own : new Unet(await openPart(await controlledUnetFiles(files)))
  );
  const sum = once(async () => {
    const { residuals, types } = await unet();
    const graph = sumGraph(residuals.size, types.sample);
    const written = writtenGraph(files, "residual_sum.onnx", graph, {
      byPath: false,
      widen: false,
    });
    return (await open("residual_sum", written)).session;
  });
  const netOf = async (network: string): Promise<ControlNet> => {
    // First, since anybody may name one, and a UNet is large.
    const part = await controlFiles(files, network);
    const to = await unet();
    const graph = await openPart(part);
    try {
      const net = new ControlNet(graph);
      requireSamePlaces({ path: to.path, places: to.residuals.keys() }, net);
      return net;
    } catch (error) {
      await graph.session.release();
      throw error;
    }
  };
  const known = new Map<string, () => Promise<ControlNet>>();
  return async (networks) => {
    const nets: ControlNet[] = [];
    for (const network of networks) {
      const net = known.get(network) ?? once(() => netOf(network));
      known.set(network, net);
      nets.push(
        await net().catch((error) => {
          known.delete(network);
          throw error;
        }),
      );
    }
    return { unet: await unet(), nets, sum };
  };
}
