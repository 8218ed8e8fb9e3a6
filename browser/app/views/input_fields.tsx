import type { GenerateOrder } from "../api/mod.ts";
import { ControlField, controlOrder, hasControl } from "./control_field.tsx";
import { LoraField, loraOrders } from "./lora_field.tsx";
import { hasSource, SourceField, sourceOrder } from "./source_field.tsx";
import "./inputs.css";

/**
 * What comes into an image beside its words, all of it optional.
 * @param here whether this browser makes it: a miner has LoRAs of its own.
 */
export function InputFields({ here }: { readonly here: boolean }) {
  const used = [
    ...hasSource() ? ["an image"] : [],
    ...hasControl() ? ["edges"] : [],
    ...here && loraOrders().length > 0 ? ["a LoRA"] : [],
  ];
  return (
    <details class="inputs" open={used.length > 0}>
      <summary class="small">
        {used.length > 0
          ? `Made from ${used.join(", ")}`
          : `Start from an image, follow edges${here ? ", use a LoRA" : ""}`}
      </summary>
      <SourceField />
      <ControlField />
      {here && <LoraField />}
    </details>
  );
}

/** As the worker takes it. */
export async function inputsOrder(): Promise<Pick<GenerateOrder, "source" | "control" | "loras">> {
  return { source: await sourceOrder(), control: controlOrder(), loras: loraOrders() };
}
