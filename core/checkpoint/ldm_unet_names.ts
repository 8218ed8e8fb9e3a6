/** What of a UNet's `config.json` the names of its modules depend on. */
export interface UNetBlocks {
  readonly layers_per_block: number | readonly number[];
  /** From the largest picture to the smallest. */
  readonly down_block_types: readonly string[];
  /** From the smallest picture to the largest. */
  readonly up_block_types: readonly string[];
}

/** A module in the LDM code, and the same in diffusers. */
type Pair = readonly [ldm: string, diffusers: string];

const OUTSIDE_BLOCKS: readonly Pair[] = [
  ["time_embed.0", "time_embedding.linear_1"],
  ["time_embed.2", "time_embedding.linear_2"],
  ["label_emb.0.0", "add_embedding.linear_1"],
  ["label_emb.0.2", "add_embedding.linear_2"],
  ["input_blocks.0.0", "conv_in"],
  ["out.0", "conv_norm_out"],
  ["out.2", "conv_out"],
];

const IN_RESNET: readonly Pair[] = [
  ["in_layers.0", "norm1"],
  ["in_layers.2", "conv1"],
  ["emb_layers.1", "time_emb_proj"],
  ["out_layers.0", "norm2"],
  ["out_layers.3", "conv2"],
  ["skip_connection", "conv_shortcut"],
];

/**
 * The name that diffusers has for a UNet's module or tensor in the names of the LDM and SGM code,
 * which checkpoints and LoRAs have, without what stands before them (`model.diffusion_model.`).
 * @returns undefined for a name that such a UNet does not have.
 */
export function diffusersNameOfLdmUnet(name: string, blocks: UNetBlocks): string | undefined {
  return renamed(name, tablesOf(blocks).toDiffusers);
}

/** The other way: see {@link diffusersNameOfLdmUnet}. */
export function ldmNameOfDiffusersUnet(name: string, blocks: UNetBlocks): string | undefined {
  return renamed(name, tablesOf(blocks).toLdm);
}

/** The longest module whose name the table has is renamed; what it holds keeps its names. */
function renamed(name: string, table: ReadonlyMap<string, string>): string | undefined {
  for (let end = name.length; end > 0; end = name.lastIndexOf(".", end - 1)) {
    const module = table.get(name.slice(0, end));
    if (module) return module + name.slice(end);
  }
  return undefined;
}

interface Tables {
  readonly toDiffusers: ReadonlyMap<string, string>;
  readonly toLdm: ReadonlyMap<string, string>;
}

/** Each is made once: names are asked for by the thousand. */
const tables = new WeakMap<UNetBlocks, Tables>();

function tablesOf(blocks: UNetBlocks): Tables {
  const pairs = () => [...OUTSIDE_BLOCKS, ...down(blocks), ...MIDDLE, ...up(blocks)];
  const known = tables.get(blocks) ?? bothWays(pairs());
  tables.set(blocks, known);
  return known;
}

function bothWays(pairs: readonly Pair[]): Tables {
  return {
    toDiffusers: new Map(pairs),
    toLdm: new Map(pairs.map(([ldm, diffusers]) => [diffusers, ldm])),
  };
}

function resnet(ldm: string, diffusers: string): Pair[] {
  return IN_RESNET.map(([from, to]) => [`${ldm}.${from}`, `${diffusers}.${to}`]);
}

const MIDDLE: readonly Pair[] = [
  ...resnet("middle_block.0", "mid_block.resnets.0"),
  ["middle_block.1", "mid_block.attentions.0"],
  ...resnet("middle_block.2", "mid_block.resnets.1"),
];

/** Every layer is an input block, and so is every downsampler. */
function down(blocks: UNetBlocks): Pair[] {
  let block = 1;
  return layersOf(blocks).flatMap((layers, i) => [
    ...Array.from(
      { length: layers },
      (_, j) => layer(`input_blocks.${block++}`, `down_blocks.${i}`, j),
    ).flat(),
    [`input_blocks.${block++}.0.op`, `down_blocks.${i}.downsamplers.0.conv`] as const,
  ]);
}

/** Every layer is an output block; the upsampler is the last module of a level's last. */
function up(blocks: UNetBlocks): Pair[] {
  let block = 0;
  return layersOf(blocks).toReversed().flatMap((layers, i) => {
    const sampler = blocks.up_block_types[i].includes("Attn") ? 2 : 1;
    return [
      ...Array.from(
        { length: layers + 1 },
        (_, j) => layer(`output_blocks.${block++}`, `up_blocks.${i}`, j),
      ).flat(),
      [`output_blocks.${block - 1}.${sampler}.conv`, `up_blocks.${i}.upsamplers.0.conv`] as const,
    ];
  });
}

function layer(ldm: string, diffusers: string, j: number): Pair[] {
  return [
    ...resnet(`${ldm}.0`, `${diffusers}.resnets.${j}`),
    [`${ldm}.1`, `${diffusers}.attentions.${j}`],
  ];
}

function layersOf({ layers_per_block: layers, down_block_types: levels }: UNetBlocks): number[] {
  return levels.map((_, i) => typeof layers === "number" ? layers : layers[i]);
}
