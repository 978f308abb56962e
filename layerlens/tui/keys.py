"""Every key of the terminal UI, in one place: footers, help and rebinding read it from here.

A binding's id names it in the settings (``tree.fold-all``); its part before the dot is where the
key works. ``show`` puts it in the footer, which has room for about six.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.binding import Binding

from layerlens.tui.sections import SECTIONS

FIRST_TO_GO = ("filter.kind", "tree.unmodified", "browse.details")
"""What the footer of a narrow terminal leaves out before anything else, the last of it first."""

BindingTable = list[Binding | tuple[str, str] | tuple[str, str, str]]
"""What a Textual class wants as its BINDINGS."""


def _key(
    identity: str, keys: str, action: str, text: str, *, show: bool = False, priority: bool = False
) -> Binding:
    return Binding(keys, action, text, show=show, id=identity, priority=priority)


APP = (
    _key("app.quit", "q", "quit", "Quit", show=True),
    _key("app.quit-now", "ctrl+c,ctrl+q", "quit", "Quit, wherever you are", priority=True),
    _key("app.help", "question_mark,f1", "show_keys", "Keys", show=True),
    _key("app.palette", "colon,ctrl+p", "command_palette", "Commands", show=True),
    _key("app.next-pane", "tab", "app.focus_next", "Next pane"),
    _key("app.previous-pane", "shift+tab", "app.focus_previous", "Pane before"),
    _key("app.theme", "f2", "change_theme", "Choose a theme"),
    _key("app.open", "o", "open_image", "Open another image"),
    _key("app.images", "i", "pick_image", "Which of the open images"),
    _key("app.platform", "P", "pick_platform", "Another platform of the image"),
    _key("app.next-image", "greater_than_sign", "next_image(1)", "The next image"),
    _key("app.previous-image", "less_than_sign", "next_image(-1)", "The image before"),
    _key("app.cancel", "ctrl+x", "cancel_reading", "Stop reading the image"),
    _key("app.back", "escape", "back", "Back"),
)

SECTION_KEYS = tuple(
    _key(f"app.{section.identity}", section.key, f"section({section.identity!r})", section.name)
    for section in SECTIONS
)

LIST = (
    _key("list.up", "up,k", "move(-1)", "Up"),
    _key("list.down", "down,j", "move(1)", "Down"),
    _key("list.page-up", "pageup", "move_page(-1)", "A page up"),
    _key("list.page-down", "pagedown", "move_page(1)", "A page down"),
    _key("list.first", "home,g", "move_to_first", "To the first"),
    _key("list.last", "end,G", "move_to_last", "To the last"),
    _key("list.choose", "enter", "choose", "Open"),
)

PICK = (_key("pick.close", "escape,q", "close", "Close", show=True),)

OPEN = (
    _key("open.up", "up", "move_choice(-1)", "The file above"),
    _key("open.down", "down", "move_choice(1)", "The file below"),
    _key("open.complete", "tab", "complete", "Take the file over", show=True),
    _key("open.close", "escape", "close", "Close", show=True),
)

HELP = (_key("help.close", "escape,q,question_mark", "close", "Close", show=True),)

BROWSE = (
    _key("browse.filter", "slash,ctrl+f", "filter", "Filter", show=True),
    _key("browse.view", "v", "next_view", "View", show=True),
    _key("browse.view-layer", "ctrl+l", "view('layer')", "This layer's changes"),
    _key("browse.view-whole", "W", "view('whole')", "The whole image up to here"),
    _key("browse.mark", "x", "mark", "Mark the start of a range of layers"),
    _key("browse.previous-layer", "left_square_bracket", "move_layer(-1)", "The layer below"),
    _key("browse.next-layer", "right_square_bracket", "move_layer(1)", "The layer above"),
    _key("browse.history", "H", "history", "History of the path"),
    _key("browse.details", "D", "details", "Details", show=True),
)

DETAILS = (_key("details.close", "escape,q,D", "close", "Close", show=True),)

WASTE = (_key("waste.view", "v", "next_view", "By path, layer, instruction", show=True),)

SHARED = (_key("shared.identity", "v", "next_identity", "Blob digest, DiffID, ChainID", show=True),)

SUGGEST = (
    _key("suggest.take", "space", "take", "Take or leave", show=True),
    _key("suggest.next", "n", "step(1)", "The next suggestion", show=True),
    _key("suggest.previous", "p", "step(-1)", "The suggestion before"),
    _key("suggest.dockerfile", "d", "choose_dockerfile", "Dockerfile", show=True),
    _key("suggest.patch", "w", "write_patch", "Write a patch", show=True),
)

PROMPT = (_key("prompt.close", "escape", "close", "Close", show=True),)

CATALOGUE = (_key("catalogue.all", "escape", "all_repositories", "All repositories", show=True),)

COMPARE = (
    _key("compare.swap", "x", "swap", "Swap A and B", show=True),
    _key("compare.previous", "left_square_bracket", "other(-1)", "The image before as A"),
    _key("compare.next", "right_square_bracket", "other(1)", "The next image as A"),
)

FILTER = (
    _key("filter.kind", "ctrl+t", "next_kind", "Text, glob or regex", show=True),
    # Enter, which the line that is typed in knows already, is the filter's.
    _key("filter.keep", "enter,down,tab", "keep", "To the list", show=True, priority=True),
    _key("filter.give-up", "escape", "give_up", "Leave", show=True),
)

FIND = (
    _key("find.type", "slash,ctrl+f", "type", "Search", show=True),
    _key("find.go-to", "b", "go_to", "To its place", show=True),
)

FILE = (
    _key("file.search", "slash,ctrl+f", "search", "Search", show=True),
    _key("file.next-match", "n", "next_match", "The next match"),
    _key("file.previous-match", "N", "previous_match", "The match before"),
    _key("file.hex", "x", "hex", "Text or hex", show=True),
    _key("file.text", "t", "text", "Text"),
    _key("file.diff", "d", "diff", "Diff", show=True),
    _key("file.left", "left,h", "shift(-1)", "What is to the left"),
    _key("file.right", "right,l", "shift(1)", "What is to the right"),
    _key("file.back", "escape", "back", "Back", show=True),
    _key("file.save", "w,ctrl+s,ctrl+e", "save", "Save", show=True),
    _key("file.copy", "y", "copy_path", "Copy the path", show=True),
    _key("file.close", "q,backspace", "close", "Close the file"),
)

SEARCH = (
    _key("search.kind", "ctrl+t", "next_kind", "Text or bytes", show=True),
    _key("search.keep", "down,tab", "keep", "Search on", show=True),
    _key("search.give-up", "escape", "give_up", "Leave", show=True),
)

SAVE = (_key("save.close", "escape", "close", "Save nothing", show=True),)

LAYERS = (_key("layers.view-whole", "ctrl+a", "view_whole", "The whole image up to here"),)

TREE = (
    _key("tree.toggle", "space", "toggle_fold", "Fold", show=True),
    _key("tree.toggle-all", "ctrl+@,ctrl+space", "toggle_all", "Fold or unfold all"),
    _key("tree.fold", "left,h", "fold", "Fold, or up to the directory"),
    _key("tree.unfold", "right,l", "unfold", "Unfold, or into the directory"),
    _key("tree.fold-all", "C", "fold_all", "Fold all"),
    _key("tree.unfold-all", "E", "unfold_all", "Unfold all"),
    _key("tree.added", "a,ctrl+a", "toggle_state('added')", "Show or hide added"),
    _key("tree.changed", "m,ctrl+m", "toggle_state('changed')", "Show or hide changed"),
    _key("tree.removed", "r,ctrl+r", "toggle_state('removed')", "Show or hide removed"),
    _key("tree.unmodified", "u,ctrl+u", "toggle_state('unmodified')", "Unmodified", show=True),
    _key("tree.rewritten", "w", "toggle_state('rewritten')", "Show or hide rewritten as it was"),
    _key("tree.sort", "s,ctrl+o", "sort", "Sort by name or bytes"),
    _key("tree.columns", "b,ctrl+b", "toggle_columns", "All columns on or off"),
    _key("tree.mode", "M", "toggle_column('mode')", "Column of modes"),
    _key("tree.owner", "O", "toggle_column('owner')", "Column of owners"),
    _key("tree.size", "S", "toggle_column('size')", "Column of sizes"),
    _key("tree.links", "L", "toggle_column('link')", "Targets of links"),
    _key("tree.diff", "d", "open_diff", "Diff against the version below"),
    _key("tree.save", "ctrl+s,ctrl+e", "save", "Save the file"),
    _key("tree.copy", "y", "copy_path", "Copy the path"),
)

TABLES: Mapping[str, tuple[Binding, ...]] = {
    "Everywhere": (*APP, *SECTION_KEYS),
    "Lists": LIST,
    "Browse": BROWSE,
    "Find": FIND,
    "Layers": LAYERS,
    "Waste": WASTE,
    "Compare": COMPARE,
    "Shared": SHARED,
    "Suggest": SUGGEST,
    "Asked for a name": PROMPT,
    "A registry's catalogue": CATALOGUE,
    "Details": DETAILS,
    "While filtering": FILTER,
    "Tree": TREE,
    "Picking from a list": PICK,
    "Opening an image": OPEN,
    "File": FILE,
    "While searching a file": SEARCH,
    "While saving": SAVE,
    "This help": HELP,
}
"""Every table under the heading that the help has for it."""


TOGETHER: Sequence[tuple[Binding, ...]] = tuple(
    (*APP, *SECTION_KEYS, *LIST, *screen)
    for screen in (
        (*BROWSE, *LAYERS),
        (*BROWSE, *TREE),
        FIND,
        WASTE,
        COMPARE,
        (*COMPARE, *TREE),
        SHARED,
        (*SHARED, *CATALOGUE),
        SUGGEST,
        FILE,
    )
)
"""What works at the same time, in one part of a screen or another; dialogs have no more than their
own tables."""

_OF_IMAGES = ("open", "images", "platform", "next-image", "previous-image", "cancel", "back")

CATALOGUE_APP = tuple(
    binding for binding in APP if (binding.id or "").removeprefix("app.") not in _OF_IMAGES
)

CATALOGUE_TABLES: Mapping[str, tuple[Binding, ...]] = {
    "Everywhere": CATALOGUE_APP,
    "Lists": LIST,
    "Repositories and layers": (*SHARED, *CATALOGUE),
    "Picking from a list": PICK,
    "This help": HELP,
}
"""The same for a catalogue of a registry."""


def bindings(*tables: tuple[Binding, ...]) -> BindingTable:
    """The tables as a Textual class takes them."""
    return [binding for table in tables for binding in table]


def every_key() -> Iterator[Binding]:
    """All bindings there are."""
    for table in TABLES.values():
        yield from table
