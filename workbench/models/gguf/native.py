"""llama.cpp's own quantization of rows of weights, for the types that numpy cannot compute."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from workbench.errors import ModelUnavailable


def quantize_rows(model: str) -> Callable[[Any, str], Any]:
    """A function of rows of 32-bit floats and a type's name to that type's bytes, one row a row.

    Raises ModelUnavailable where the installed llama.cpp does not offer it.
    """
    import gguf
    import numpy

    try:
        import xllamacpp.xllamacpp

        library = ctypes.CDLL(xllamacpp.xllamacpp.__file__)
        quantize = library.ggml_quantize_chunk
    except (ImportError, OSError, AttributeError):
        raise ModelUnavailable(
            "K-quants (q4_k_m, q5_k_m, q6_k) need an installed llama.cpp that can make them: "
            "pip install 'workbench[gguf]'; or take q8_0, q5_0 or q4_0.",
            model,
        ) from None
    # type, source, target, first weight, rows, weights a row, importance of columns (none)
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    quantize.argtypes = [ctypes.c_int, pointer, pointer, whole, whole, whole, pointer]
    quantize.restype = ctypes.c_size_t

    def rows_as(rows: Any, kind: str) -> Any:
        number = gguf.GGMLQuantizationType[kind]
        block, size = gguf.GGML_QUANT_SIZES[number]
        source = numpy.ascontiguousarray(rows, numpy.float32)
        target = numpy.empty((len(source), source.shape[1] // block * size), numpy.uint8)
        quantize(int(number), source.ctypes.data, target.ctypes.data, 0, len(source), source.shape[1], None)
        return target

    return rows_as
