import { signal } from "@preact/signals";
import type { LoraOrder } from "../api/mod.ts";
import { FileField } from "./file_field.tsx";

interface Lora extends LoraOrder {
  readonly file: File;
}

const loras = signal<readonly Lora[]>([]);

/** LoRAs of the next image. */
export function loraOrders(): readonly LoraOrder[] {
  return loras.value;
}

/** LoRAs, each with how far it changes the model. */
export function LoraField() {
  return (
    <FileField
      label="Choose LoRA files, for a model in safetensors"
      accept=".safetensors"
      multiple
      onFiles={(files) =>
        loras.value = [...loras.value, ...files.map((file) => ({ file, scale: 1 }))]}
    >
      {loras.value.map((lora, k) => (
        <p class="row tools" key={`${k} ${lora.file.name}`}>
          <span class="grow small" dir="auto">{lora.file.name}</span>
          <label class="small">
            Scale{" "}
            <input
              type="number"
              min={-10}
              max={10}
              step={0.05}
              value={lora.scale}
              onInput={({ currentTarget }) => rescale(lora, currentTarget.valueAsNumber)}
            />
          </label>
          <button
            type="button"
            aria-label={`Remove ${lora.file.name}`}
            onClick={() => loras.value = loras.value.filter((each) => each !== lora)}
          >
            Remove
          </button>
        </p>
      ))}
    </FileField>
  );
}

function rescale(lora: Lora, scale: number): void {
  if (!Number.isFinite(scale)) return;
  loras.value = loras.value.map((each) => each === lora ? { ...lora, scale } : each);
}
