"""
Exports a UNet by torch.onnx.export, beside what torch computes of it: what `deno task bench models`
compares the project's own graph with.

    pip install torch diffusers safetensors onnx onnxscript
    python3 test/full_size/export_unet.py <model folder>/unet <folder for the export> [latent side]

Writes `model.onnx` with its weights outside, and `io.safetensors`: one call, tensors `in/<name>` and
`out/out_sample`.
"""

import json
import pathlib
import sys

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file


class Network(torch.nn.Module):
    def __init__(self, unet):
        super().__init__()
        self.unet = unet

    def forward(self, sample, timestep, encoder_hidden_states):
        return self.unet(sample, timestep, encoder_hidden_states, return_dict=False)[0]


def main(source, target, side):
    config = json.loads((source / "config.json").read_text())
    unet = UNet2DConditionModel.from_config(config).float().eval()
    weights = load_file(source / "diffusion_pytorch_model.safetensors")
    unet.load_state_dict({name: weight.float() for name, weight in weights.items()})
    random = torch.Generator().manual_seed(15)
    inputs = {
        "sample": torch.randn(1, config.get("in_channels", 4), side, side, generator=random),
        "timestep": torch.tensor([601.0]),
        "encoder_hidden_states": torch.randn(1, 77, config["cross_attention_dim"], generator=random),
    }
    target.mkdir(parents=True, exist_ok=True)
    network = Network(unet)
    with torch.no_grad():
        expected = network(*inputs.values())
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            target / "model.onnx",
            input_names=list(inputs),
            output_names=["out_sample"],
            opset_version=20,
            dynamo=True,
            external_data=True,
        )
    tensors = {f"in/{name}": value for name, value in inputs.items()}
    save_file({**tensors, "out/out_sample": expected.contiguous()}, target / "io.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int((sys.argv[3:] or ["64"])[0]))
