"""``layerlens audit browse``: the repositories of a registry and the layers that they hold."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from layerlens.analysis.sharing import Identity, ImageLayers
from layerlens.report.counted import counted
from layerlens.tui import keys
from layerlens.tui.keyed_app import KeyedApp
from layerlens.tui.screens.pick import PickScreen
from layerlens.tui.screens.shared import following
from layerlens.tui.settings import Settings
from layerlens.tui.shown_text import safe
from layerlens.tui.state.shared_matrix import SharedMatrix, shared_matrix
from layerlens.tui.widgets.key_bar import KeyBar
from layerlens.tui.widgets.matrix_panel import MatrixPanel


class CatalogueApp(KeyedApp, inherit_bindings=False):
    """What a crawl found, looked through without a network."""

    BINDINGS = keys.bindings(keys.CATALOGUE_APP)
    KEY_TABLES = keys.CATALOGUE_TABLES

    def __init__(
        self, registry: str, repositories: Sequence[ImageLayers], settings: Settings | None = None
    ) -> None:
        super().__init__(settings)
        self._host = registry
        self._repositories = repositories

    def get_default_screen(self) -> Screen[None]:
        return CatalogueScreen(self._host, self._repositories)


class CatalogueScreen(Screen[None]):
    """The matrix of repositories and layers; those that hold most are its first columns."""

    BINDINGS = keys.bindings(keys.SHARED, keys.CATALOGUE)

    def __init__(self, registry: str, repositories: Sequence[ImageLayers]) -> None:
        super().__init__()
        self._host = registry
        self._repositories = sorted(repositories, key=lambda each: -_bytes(each))
        self._matrix: SharedMatrix | None = None
        self._only: ImageLayers | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="registry")
        yield MatrixPanel("Repositories", id="panel")
        yield KeyBar()

    def on_mount(self) -> None:
        self._show(Identity.BLOB_DIGEST)

    def _show(self, identity: Identity) -> None:
        panel = self.query_one(MatrixPanel)
        only = "" if self._only is None else f", layers of {self._only.title.image}"
        count = counted(len(self._repositories), "repository", "repositories")
        self.query_one("#registry", Static).update(
            Content(f" {safe(self._host)}: {count}{safe(only)}")
        )
        self._matrix = shared_matrix(self._repositories, identity, self._only)
        panel.show(self._matrix)

    def action_next_identity(self) -> None:
        if self._matrix is not None:
            self._show(following(self._matrix.sharing.identity))

    def on_matrix_panel_holder_chosen(self, chosen: MatrixPanel.HolderChosen) -> None:
        """Show the layers of one repository alone; chosen again, all."""
        one = self._repositories[chosen.number]
        self._only = None if self._only is one else one
        assert self._matrix is not None
        self._show(self._matrix.sharing.identity)

    def on_matrix_panel_layer_chosen(self, chosen: MatrixPanel.LayerChosen) -> None:
        """Show who holds the layer, to go to one of them."""
        assert self._matrix is not None
        numbers = self._matrix.holders(chosen.row)
        names = [self._repositories[number].title.image for number in numbers]

        def picked(line: int | None) -> None:
            if line is not None:
                self._only = self._repositories[numbers[line]]
                assert self._matrix is not None
                self._show(self._matrix.sharing.identity)

        self.app.push_screen(PickScreen("Held by", names), picked)

    def action_all_repositories(self) -> None:
        if self._only is not None and self._matrix is not None:
            self._only = None
            self._show(self._matrix.sharing.identity)


def _bytes(repository: ImageLayers) -> int:
    return sum(layer.stored_size or 0 for layer in repository.layers)
