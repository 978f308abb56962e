"""Images of a few layers, for tests of sharing: a layer is a letter, and what it is stored as."""

from dataclasses import replace

from hypothesis import strategies as st

from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.analysis.titles import ImageTitle
from layerlens.oci.digest import Digest, chain_ids, sha256_digest


def digest(word: str) -> str:
    """A digest that stands for a word."""
    return str(sha256_digest(word.encode()))


def stored(
    content: str, *, size: int, compressed: int | None = None, blob: str | None = None
) -> LayerIdentity:
    """A layer of so many uncompressed bytes; with ``compressed`` it has a blob, by default the
    one that this content always has."""
    return LayerIdentity(
        blob_digest=None if compressed is None else digest(f"blob of {blob or content}"),
        diff_id=digest(content),
        chain_id=None,
        stored_size=compressed,
        size=size,
        instruction=f"RUN {content}",
    )


def title(name: str, config: str | None = None) -> ImageTitle:
    """What an image is called by; images of one ``config`` are one."""
    return ImageTitle(
        image=name,
        names=(),
        platform="linux/amd64",
        manifest_digest=None,
        config_digest=digest(f"config of {config or name}"),
    )


def image(name: str, *layers: LayerIdentity, config: str | None = None) -> ImageLayers:
    """An image of these layers, with the ChainIDs that they get by it."""

    chain = chain_ids([Digest.parse(layer.diff_id) for layer in layers if layer.diff_id])
    return ImageLayers(
        title=title(name, config),
        layers=tuple(
            replace(layer, chain_id=str(own)) for layer, own in zip(layers, chain, strict=True)
        ),
    )


@st.composite
def many_images(draw: st.DrawFn) -> list[ImageLayers]:
    """Up to six images of up to five layers, out of few contents: shared, repeated, compressed in
    one of two ways or stored without a blob."""
    sizes = [0, 1, 7, 100, 12_345]
    contents = {word: draw(st.sampled_from(sizes)) for word in "abcde"}
    forms: dict[tuple[str, str], int] = {
        (word, form): draw(st.sampled_from(sizes)) for word in contents for form in ("gzip", "zstd")
    }

    def layer(word: str, form: str) -> LayerIdentity:
        if form == "plain":
            return stored(word, size=contents[word])
        compressed = forms[word, form]
        return stored(word, size=contents[word], compressed=compressed, blob=f"{word} {form}")

    one_layer = st.builds(
        layer, st.sampled_from("abcde"), st.sampled_from(["gzip", "zstd", "plain"])
    )
    layers = draw(st.lists(st.lists(one_layer, max_size=5), min_size=1, max_size=6))
    return [image(f"image {number}", *those) for number, those in enumerate(layers)]
