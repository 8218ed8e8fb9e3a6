"""Writes the model folder: ONNX in diffusers' layout with SDXL's interface, float32 and float16, and checks it against torch.

Inside, latents have unit variance and the UNet predicts v. Outside, the UNet predicts epsilon and the scale of the
latents is folded into the autoencoder, so that SDXL's own 0.13025 and its stock pipeline are right.
"""

import json
import os

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

import settings
from controlnet import ControlNet
from latents import latent_scale, load_vae
from sampler import alphas_bar
from tokenizer import END, Tokenizer, save, write
from train_diffusion import networks
from training import load_averaged

OPSET = 17
OUT = settings.WORK_DIR / "export"
ROWS, HIDDEN, PICTURE = {0: "batch_size"}, {0: "batch_size", 1: "sequence_length"}, {0: "batch_size", 2: "height", 3: "width"}
SF = settings.SCALING_FACTOR


class TextOne(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids):
        last, pooled, states = self.encoder(input_ids)
        return last, pooled, *states


class TextTwo(TextOne):
    def forward(self, input_ids):
        last, pooled, states = self.encoder(input_ids)
        return pooled, last, *states


class Epsilon(nn.Module):
    """epsilon = sqrt(a) v + sqrt(1 - a) x. Between whole timesteps log a is interpolated, as the schedulers' sigmas are."""

    def __init__(self, unet):
        super().__init__()
        self.unet = unet
        self.register_buffer("log_bar", torch.log(alphas_bar()).float())

    def forward(self, sample, timestep, encoder_hidden_states, text_embeds, time_ids, *residuals):
        t = timestep.reshape(-1) + sample[:, 0, 0, 0] * 0.0  # one timestep serves the whole batch
        v = self.unet(sample, t, encoder_hidden_states, text_embeds, time_ids, residuals or None)
        low = torch.floor(t).clamp(0, settings.TRAIN_STEPS - 2)
        part = (t - low).clamp(0, 1)
        i = low.long()
        a = torch.exp(self.log_bar[i] * (1 - part) + self.log_bar[i + 1] * part)[:, None, None, None]
        return torch.sqrt(a) * v + torch.sqrt(1 - a) * sample


RESIDUALS = [*(f"down_block_additional_residual_{k}" for k in range(3)), "mid_block_additional_residual"]


class Control(nn.Module):
    def __init__(self, control):
        super().__init__()
        self.control = control

    def forward(self, sample, timestep, encoder_hidden_states, controlnet_cond, conditioning_scale, text_embeds, time_ids):
        t = timestep.reshape(-1) + sample[:, 0, 0, 0] * 0.0
        return self.control(sample, t, encoder_hidden_states, controlnet_cond, conditioning_scale.reshape(-1)[0], text_embeds, time_ids)


class Decode(nn.Module):
    def __init__(self, decoder, scale):
        super().__init__()
        self.decoder, self.factor = decoder, SF / scale

    def forward(self, latent_sample):
        return self.decoder(latent_sample * self.factor).clamp(-1, 1)


class Encode(nn.Module):
    def __init__(self, encoder, scale):
        super().__init__()
        self.encoder, self.factor = encoder, scale / SF

    def forward(self, sample):
        return self.encoder(sample) * self.factor


def parts(nets, vae, scale):
    """{folder: (module, example inputs, {input: dynamic axes}, {output: dynamic axes})}"""
    tokenizer = Tokenizer(settings.WORK_DIR / "tokenizer")
    ids = padded(tokenizer, ("", "a red tau symbol on a blue background"), tokenizer.end)
    ids_two = padded(tokenizer, ("", "a red tau symbol on a blue background"), tokenizer.bang)
    text, pooled = (t.detach() for t in nets["text"](ids))
    side = torch.tensor([[256.0, 256.0, 0.0, 0.0, 256.0, 256.0]] * 2)
    torch.manual_seed(0)
    latent = torch.randn(2, 4, 32, 32)
    states = lambda encoder: {f"hidden_states.{k}": HIDDEN for k in range(len(encoder.layers) + 1)}
    one, two = nets["text"].one, nets["text"].two
    return {
        "text_encoder": (TextOne(one), (ids,), dict(input_ids=HIDDEN), dict(last_hidden_state=HIDDEN, pooler_output=ROWS, **states(one))),
        "text_encoder_2": (TextTwo(two), (ids_two,), dict(input_ids=HIDDEN), dict(text_embeds=ROWS, last_hidden_state=HIDDEN, **states(two))),
        "unet": (
            Epsilon(nets["unet"]), (latent, torch.tensor([501.0]), text, pooled, side),
            dict(sample=PICTURE, timestep={0: "steps"}, encoder_hidden_states=HIDDEN, text_embeds=ROWS, time_ids=ROWS), dict(out_sample=PICTURE),
        ),
        "vae_decoder": (Decode(vae["decoder"], scale), (latent / SF,), dict(latent_sample=PICTURE), dict(sample=PICTURE)),
        "vae_encoder": (Encode(vae["encoder"], scale), (torch.rand(2, 3, 256, 256) * 2 - 1,), dict(sample=PICTURE), dict(latent_sample=PICTURE)),
    }  # fmt: skip


def control_parts(nets, control, of_unet):
    """The same for the control variant: the network itself, and a UNet that takes its residuals."""
    _, inputs, into, outof = of_unet
    latent, timestep, text, pooled, side = inputs
    edges, scale = (torch.rand(2, 3, 256, 256) > 0.95).float(), torch.ones(1)
    levels = {name: PICTURE for name in RESIDUALS}
    hint = dict(controlnet_cond=PICTURE, conditioning_scale={})
    front = {k: into[k] for k in ("sample", "timestep", "encoder_hidden_states")}
    with torch.no_grad():
        residuals = control(latent, timestep.expand(2), text, edges, scale, pooled, side)
    return {
        "controlnet": (
            Control(control), (latent, timestep, text, edges, scale, pooled, side),
            {**front, **hint, "text_embeds": ROWS, "time_ids": ROWS}, levels,
        ),
        "unet_controlnet": (Epsilon(nets["unet"]), (*inputs, *residuals), {**into, **levels}, outof),
    }  # fmt: skip


def padded(tokenizer, texts, filler):
    rows = [tokenizer.encode(text) for text in texts]
    return torch.tensor([row + [filler] * (settings.TOKENS - len(row)) for row in rows])


def export_part(name, module, inputs, into, outof):
    path = OUT / name / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        module.eval(), inputs, path, input_names=list(into), output_names=list(outof), dynamic_axes={**into, **outof},
        opset_version=OPSET, do_constant_folding=True,
    )  # fmt: skip
    save_half(path)
    return path


def save_half(path):
    """model.fp16.onnx: weights stored in float16, widened when the session loads. Inputs, outputs and arithmetic stay
    float32, so it runs on every backend and differs from the float32 file by the rounding of the weights alone."""
    model = onnx.load(path)
    graph, widen = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or int(np.prod(tensor.dims)) < 64:
            continue
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name + "_half")
        widen.append(onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(half)
    for node in reversed(widen):
        graph.node.insert(0, node)
    onnx.save(model, path.with_suffix(".fp16.onnx"))


def reference(name, module, inputs, into, outof):
    """Inputs and torch's outputs, also at a second size, for `check_onnx.mjs`."""
    folder = settings.WORK_DIR / "reference" / name
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        results = module(*inputs)
    results = results if isinstance(results, tuple) else (results,)
    tensors = {**dict(zip(into, inputs)), **{f"out:{k}": v for k, v in zip(outof, results)}}
    index = {}
    for key, value in tensors.items():
        array = np.ascontiguousarray(value.detach().numpy())
        array.tofile(folder / key.replace(":", "_"))
        index[key] = dict(file=key.replace(":", "_"), dims=list(array.shape), type=str(array.dtype))
    write(folder / "index.json", index)


@torch.no_grad()
def latent_preview(vae, scale):
    """Least squares from a latent's four channels to the mean colour of its 8x8 pixels, both in the model's own units."""
    from dataset import picture
    from train_vae import to_tensor

    rows = [picture("vae", i)[1] for i in range(400)]
    image = to_tensor(np.stack(rows))
    latent = torch.cat([vae["encoder"](part) for part in image.split(50)]) * scale
    colour = torch.nn.functional.avg_pool2d(image, 8).permute(0, 2, 3, 1).reshape(-1, 3)
    known = torch.cat([latent.permute(0, 2, 3, 1).reshape(-1, 4), torch.ones(len(colour), 1)], 1)
    fit = torch.linalg.lstsq(known.double(), colour.double()).solution
    error = (known.double() @ fit - colour).square().mean().sqrt()
    print(f"latent preview: root mean square error {error:.4f} of [-1, 1]")
    return dict(factors=[[round(float(v), 5) for v in row] for row in fit[:4]], bias=[round(float(v), 5) for v in fit[4]])


def configs(vocabulary, tokenizer, preview):
    """{path: content} of every JSON of the folder, as diffusers and optimum write them."""
    part = lambda kind: ["optimum", f"ORTModel{kind}"]
    clip = lambda kind, text, projection, pad: {
        "architectures": [kind], "model_type": "clip_text_model", "hidden_size": text["width"], "intermediate_size": text["feed_forward"],
        "num_hidden_layers": text["layers"], "num_attention_heads": text["heads"], "max_position_embeddings": settings.TOKENS,
        "vocab_size": vocabulary, "projection_dim": projection, "hidden_act": "quick_gelu", "bos_token_id": tokenizer.start,
        "eos_token_id": tokenizer.end, "pad_token_id": pad,
    }  # fmt: skip
    vae = {"_class_name": "AutoencoderKL", "latent_channels": 4, "scaling_factor": SF, "force_upcast": False, "sample_size": 256,
           "in_channels": 3, "out_channels": 3, "block_out_channels": [16, 16, 32, 64]}  # fmt: skip
    one, two = settings.TEXT_1, settings.TEXT_2
    unet = {
        "_class_name": "UNet2DConditionModel", "sample_size": 32, "in_channels": 4, "out_channels": 4, "block_out_channels": list(settings.UNET_WIDTHS),
        "cross_attention_dim": one["width"] + two["width"], "addition_embed_type": "text_time", "addition_time_embed_dim": settings.TIME_IDS_DIM,
        "projection_class_embeddings_input_dim": two["projection"] + 6 * settings.TIME_IDS_DIM, "time_cond_proj_dim": None,
    }  # fmt: skip
    return {
        "model_index.json": {
            "_class_name": "ORTStableDiffusionXLPipeline", "_diffusers_version": "0.26.0", "force_zeros_for_empty_prompt": False,
            "scheduler": ["diffusers", "DPMSolverMultistepScheduler"], "text_encoder": part("TextEncoder"), "text_encoder_2": part("TextEncoder"),
            "tokenizer": ["transformers", "CLIPTokenizer"], "tokenizer_2": ["transformers", "CLIPTokenizer"], "unet": part("Unet"),
            "vae_decoder": part("VaeDecoder"), "vae_encoder": part("VaeEncoder"),
        },
        "scheduler/scheduler_config.json": {
            "_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.26.0", "algorithm_type": settings.ALGORITHM, "beta_start": settings.BETA_START,
            "beta_end": settings.BETA_END, "beta_schedule": "scaled_linear", "num_train_timesteps": settings.TRAIN_STEPS,
            "prediction_type": "epsilon", "solver_order": 2, "solver_type": "midpoint", "lower_order_final": True, "use_karras_sigmas": True,
            "timestep_spacing": "leading", "steps_offset": 1, "set_alpha_to_one": False, "clip_sample": False, "interpolation_type": "linear",
            "skip_prk_steps": True, "trained_betas": None,
        },
        "unet/config.json": unet,
        "unet_controlnet/config.json": unet,
        "controlnet/config.json": {
            "_class_name": "ControlNetModel", "in_channels": 4, "block_out_channels": list(settings.UNET_WIDTHS), "conditioning_channels": 3,
            "cross_attention_dim": one["width"] + two["width"], "addition_embed_type": "text_time", "addition_time_embed_dim": settings.TIME_IDS_DIM,
        },
        "text_encoder/config.json": clip("CLIPTextModel", one, one["width"], tokenizer.end),
        "text_encoder_2/config.json": clip("CLIPTextModelWithProjection", two, two["projection"], tokenizer.bang),
        "vae_decoder/config.json": {**vae, "latent_preview": preview},
        "vae_encoder/config.json": vae,
    }  # fmt: skip


def main():
    torch.set_num_threads(settings.THREADS)
    tokenizer = Tokenizer(settings.WORK_DIR / "tokenizer")
    nets = load_averaged(os.environ.get("STAGE", settings.DIFFUSION[-1]["name"]), networks(len(tokenizer.ids)))
    vae, scale = load_vae(), latent_scale()
    todo = parts(nets, vae, scale)
    if (settings.WORK_DIR / "control.pt").exists():
        todo.update(control_parts(nets, load_averaged("control", ControlNet()), todo["unet"]))
    for name, (module, inputs, into, outof) in todo.items():
        path = export_part(name, module, inputs, into, outof)
        reference(name, module, inputs, into, outof)
        print(f"{name}: {path.stat().st_size:,} bytes, {path.with_suffix('.fp16.onnx').stat().st_size:,} in float16")
    save(OUT / "tokenizer", pad=END)
    save(OUT / "tokenizer_2", pad="!")
    files = configs(len(tokenizer.ids), tokenizer, latent_preview(vae, scale))
    for file, content in files.items():
        (OUT / file).parent.mkdir(parents=True, exist_ok=True)
        write(OUT / file, content)


if __name__ == "__main__":
    main()
