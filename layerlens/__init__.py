"""layerlens: look inside container images.

The house, each room importing only from those to its left::

    errors, oci <- streams <- layer <- filesystem <- analysis, dockerfile <- report <- cli, tui

- ``oci``: the words of the OCI specs as frozen values
- ``streams``: bytes verified, decompressed, cut into tar members
- ``layer``: one layer, a byte stream in, a LayerIndex out
- ``filesystem``: layers stacked into the tree a container sees
- ``source``: where images come from; imports errors, oci and streams
- ``index_cache``: layer indexes kept on disk
- ``loading``, ``loaded_layer``, ``toc_reading``, ``opening``, ``file_content``: where sources and
  layers meet; ``layer_jobs``, ``layer_job``, ``layer_process``: several layers read at a time
- ``analysis``: questions answered, values in and values out
- ``image``, ``image_layer``: an image with its layers, their trees and changes;
  ``surveying``: asked what it wastes
- ``advising``, ``dockerfile_findings``: a Dockerfile, its image and its context asked what to mend
- ``audit``: a registry as a whole: the crawl, its catalogue, what is asked of it
- ``report``: values to text; ``cli``: the commands

As a library::

    import layerlens

    with layerlens.open("image.tar") as image:
        for layer in image.layers:
            for change in layer.changes:
                print(layer.number, change.kind.value, change.path)
"""

__version__ = "0.1.0"

__all__ = ["Image", "LayerlensError", "__version__", "open"]

TYPE_CHECKING = False  # typing is not imported for it: ``--version`` shall be quick
if TYPE_CHECKING:
    from layerlens.errors import LayerlensError
    from layerlens.image import Image
    from layerlens.image import open_image as open  # noqa: A004 - layerlens.open

_FACE = {
    "Image": ("layerlens.image", "Image"),
    "LayerlensError": ("layerlens.errors", "LayerlensError"),
    "open": ("layerlens.image", "open_image"),
}


def __getattr__(name: str) -> object:
    """Import a part of the face when it is first used."""
    if name not in _FACE:
        raise AttributeError(f"module 'layerlens' has no attribute {name!r}")
    import importlib

    module, attribute = _FACE[name]
    value: object = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value
