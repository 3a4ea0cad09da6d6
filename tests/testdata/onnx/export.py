# SPDX-License-Identifier: Apache-2.0
"""Exports networks without their weights, as structure for tests of the ONNX reader.

  export.py FOLDER [NAME...]

Writes NAME.onnx.zip: initialisers above 1 KiB lose their bytes (external data in a file that does
not exist), value_info is dropped so that shapes must be inferred. Prints `name,parameters,macs` where
macs counts Conv, MatMul and Gemm by onnx's own shape inference before the stripping. Needs torch,
torchvision and onnx. Weights are random: nothing is fetched.
"""
import io
import sys
import zipfile
from math import prod
from pathlib import Path
import onnx
import torch
import torchvision
from onnx import TensorProto, shape_inference

NAMES = """alexnet vgg16 squeezenet1_0 resnet18 resnet50 densenet121 inception_v3 mobilenet_v2 efficientnet_b0
regnet_y_400mf convnext_tiny vit_b_16 swin_t shufflenet_v2_x1_0 mobilenet_v3_small googlenet mnasnet1_0 resnext50_32x4d
fcn_resnet50 lstm gru sdpa""".split()


class Recurrent(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.net = kind(64, 128, num_layers=2, bidirectional=True, batch_first=False)

    def forward(self, x):
        return self.net(x)[0]


class Sdpa(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.TransformerEncoderLayer(256, 8, 1024, batch_first=True)

    def forward(self, x):
        return self.net(x)


def build(name):
    if name in ("lstm", "gru"):
        return Recurrent({"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[name]), torch.zeros(50, 4, 64)
    if name == "sdpa":
        return Sdpa(), torch.zeros(2, 128, 256)
    side = 299 if name == "inception_v3" else 224
    if name == "fcn_resnet50":
        net = torchvision.models.segmentation.fcn_resnet50(weights=None, weights_backbone=None)
        return net, torch.zeros(1, 3, side, side)
    return torchvision.models.get_model(name, weights=None), torch.zeros(1, 3, side, side)


def count(model):
    inferred = shape_inference.infer_shapes(model, data_prop=True)
    shape = {}
    for info in list(inferred.graph.value_info) + list(inferred.graph.input) + list(inferred.graph.output):
        shape[info.name] = [d.dim_value for d in info.type.tensor_type.shape.dim]
    for tensor in inferred.graph.initializer:
        shape[tensor.name] = list(tensor.dims)
    macs = 0
    for node in inferred.graph.node:
        if node.op_type == "Conv":
            w = shape[node.input[1]]
            macs += prod(shape[node.output[0]]) * prod(w[1:])
        elif node.op_type in ("MatMul", "Gemm"):
            a = shape[node.input[0]]
            trans = next((x.i for x in node.attribute if x.name == "transA"), 0)
            macs += prod(shape[node.output[0]]) * a[0 if trans else -1]
    return macs


def strip(model):
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) > 1024:
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            entry = tensor.external_data.add()
            entry.key, entry.value = "location", "weights.bin"
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]


def main():
    torch.backends.mha.set_fastpath_enabled(False)  # the exporter knows only its parts
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or NAMES:
        net, sample = build(name)
        net.eval()
        parameters = sum(p.numel() for p in net.parameters())
        buffer = io.BytesIO()
        with torch.no_grad():
            torch.onnx.export(net, (sample,), buffer, opset_version=17, dynamo=False, do_constant_folding=True,
                              input_names=["input"], output_names=["output"])
        model = onnx.load_from_string(buffer.getvalue())
        macs = count(model)
        strip(model)
        data = model.SerializeToString()
        with zipfile.ZipFile(folder / f"{name}.onnx.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.writestr(zipfile.ZipInfo(f"{name}.onnx"), data, zipfile.ZIP_DEFLATED)
        print(f"{name},{parameters},{macs},{len(data)}", flush=True)


main()
