"""An image that is open in the UI: what of it has been read so far, and how reading ended."""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass, field

from layerlens.analysis.layer_summary import LayerSummary
from layerlens.filesystem.file_tree import EMPTY_TREE, FileTree
from layerlens.image import Image
from layerlens.image_layer import Layer


class Stage(enum.Enum):
    """How far reading an image is; the value is the word shown for it."""

    READING = "reading"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLayer:
    """A layer that was read, counted and laid on those below it; ``tree`` is what that makes."""

    layer: Layer
    summary: LayerSummary
    tree: FileTree

    @property
    def number(self) -> int:
        """Its number, from 0."""
        return self.layer.number

    @property
    def size(self) -> int:
        """Bytes of its uncompressed tar; 0 where it is none."""
        return self.layer.facts.size if self.layer.facts else 0

    @property
    def instruction(self) -> str:
        """The instruction that made it, not yet escaped; empty where nothing tells."""
        return self.layer.title.instruction or ""


class ByteCount:
    """Counts bytes as they are read, from any thread."""

    def __init__(self) -> None:
        self.done = 0
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        """*count* more bytes were read."""
        with self._lock:
            self.done += count


@dataclass(slots=True, kw_only=True, eq=False)
class OpenImage:
    """One image by its name, and what is known of it so far. Only the UI's own thread writes here,
    but for ``progress``. ``shown_name``: the name as it was given. ``comes_once``: it can't be
    opened again. ``dead_bytes``: of each layer, once they are known;
    empty before. ``cancelled`` is set to stop the reading."""

    name: str
    shown_name: str
    platform: str | None = None
    comes_once: bool = False
    stage: Stage = Stage.READING
    image: Image | None = None
    layers: list[ReadLayer] = field(default_factory=list)
    dead_bytes: tuple[int, ...] = ()
    error: str = ""
    expected_bytes: int = 0
    progress: ByteCount = field(default_factory=ByteCount)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def layer_count(self) -> int:
        """Layers that the image has, read or not; 0 until that is known."""
        return len(self.image.stored.layers) if self.image else 0

    @property
    def chosen_platform(self) -> str:
        """Its platform, where its name stands for several; empty elsewhere."""
        several = self.image is not None and len(self.image.platforms) > 1
        return str(self.image.platform) if self.image is not None and several else ""

    @property
    def title(self) -> str:
        """What to call it, not yet escaped: its name, the one it is stored under, and its platform
        where those stand for several."""
        names = self.image.names if self.image else ()
        name = self.shown_name
        stored = "" if not names or names[0] in name else f"({names[0]})"
        return " ".join(filter(None, (name, stored, self.chosen_platform)))

    @property
    def state_words(self) -> str:
        """Its platform, unless the title has it, and how far it is, in a few words, not yet
        escaped."""
        platform = str(self.image.platform) if self.image else self.platform or ""
        if self.chosen_platform:
            platform = ""  # the title has it
        stage = "" if self.stage is Stage.READY else self.stage.value
        return "  ".join(word for word in (platform, stage) if word)

    def is_called(self, name: str, platform: str | None) -> bool:
        """Whether this is what a name and a platform, or none, open."""
        own = None if self.image is None else str(self.image.platform)
        return name == self.name and platform in (self.platform, own)

    def tree(self, number: int) -> FileTree:
        """The files after layer ``number``, which was read; -1: before the first one."""
        return self.layers[number].tree if number >= 0 else EMPTY_TREE
