"""`helpers.datasets` calls this first, so that `import torchvision` works everywhere.

torchvision's default wheel is compiled against CUDA. Beside a CPU build of torch its
compiled part cannot load, and its Python part then stops at the missing operators:
"operator torchvision::nms does not exist" (pytorch/vision #9085, pytorch/pytorch
#157648). The notebooks need none of these operators, only data sets and transforms:
it is enough that the operators are declared.
"""

import importlib
import sys

import torch

_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> bool:
    """Import torchvision and return whether operators had to be declared for it.

    The import is tried first, and any other error is passed on: a torchvision that
    loads by itself is left as it is, operators included. A second call does nothing.
    """
    try:
        importlib.import_module("torchvision")
        return False
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
    # Python drops the package whose import failed, but keeps its finished submodules.
    for name in [name for name in sys.modules if name.startswith("torchvision.")]:
        del sys.modules[name]
    for operator in ("nms", "qnms"):
        torch.library.define(f"torchvision::{operator}", _SIGNATURE)
    importlib.import_module("torchvision")
    return True


import_torchvision()
