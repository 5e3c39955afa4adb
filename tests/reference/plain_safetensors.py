"""safetensors without numpy: for the scripts here whose doubles are plain lists."""
import json
import struct


def write(path, tensors):
    """tensors: name -> (shape, values), in this order"""
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        start = len(data)
        data += struct.pack("<%dd" % len(values), *values)
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
