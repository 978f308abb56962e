from layerlens.analysis.sharing import ImageLayers, LayerIdentity
from layerlens.analysis.sharing_findings import SharingFindings, sharing_findings
from layerlens.analysis.titles import ImageTitle
from layerlens.report.colour import PLAIN
from layerlens.report.safe_text import cells
from layerlens.report.shared_pulls_table import MATRIX_MOST, pulls_lines
from layerlens.report.sizes import exact_size
from layerlens.report.table_style import TableStyle


def findings(count: int) -> SharingFindings:
    """Image N has the layers 0 to N, layer N of 10 + N bytes."""
    layers = [
        LayerIdentity(
            blob_digest=f"sha256:b{number}",
            diff_id=f"sha256:d{number}",
            chain_id=f"sha256:c{number}",
            stored_size=10 + number,
            size=100,
            instruction=None,
        )
        for number in range(count)
    ]
    images = [
        ImageLayers(
            title=ImageTitle(
                image=f"image {number}",
                names=(),
                platform="linux/amd64",
                manifest_digest=None,
                config_digest=f"sha256:{number}",
            ),
            layers=tuple(layers[: number + 1]),
        )
        for number in range(count)
    ]
    return sharing_findings(images, None, None, 10)


def lines(count: int, width: int | None) -> list[str]:
    style = TableStyle(format_size=exact_size, palette=PLAIN, width=width, top=None)
    return "".join(pulls_lines(findings(count), style)).splitlines()


def test_a_matrix_says_from_row_to_column() -> None:
    assert lines(3, 80) == [
        "Pull cost: compressed bytes of TO's layers that FROM lacks",
        "FROM \\ TO   0   1   2",
        "  nothing  10  21  33",
        "        0   -  11  23",
        "        1   0   -  12",
        "        2   0   0   -",
        "",
        "Reuse ratio: bytes of TO's layers that FROM has / all of them",
        "FROM \\ TO        0        1       2",
        "        0        -   47.6 %  30.3 %",
        "        1  100.0 %        -  63.6 %",
        "        2  100.0 %  100.0 %       -",
    ]


def test_a_wide_matrix_is_shown_in_parts_that_lose_no_cell() -> None:
    shown = lines(MATRIX_MOST, 80)
    assert max(map(cells, shown)) <= 80
    table = shown[1 : shown.index("Reuse ratio: bytes of TO's layers that FROM has / all of them")]
    row = [cell for line in table if line.startswith("  nothing") for cell in line.split()[1:]]
    assert row == [str(sum(10 + layer for layer in range(n + 1))) for n in range(MATRIX_MOST)]


def test_many_images_are_each_shown_with_the_cheapest_to_pull_from() -> None:
    shown = lines(MATRIX_MOST + 1, 80)
    assert len(shown) == MATRIX_MOST + 3
    assert shown[1].split() == ["TO", "FROM", "NOTHING", "CHEAPEST", "FROM", "COST", "REUSE"]
    assert shown[2].split() == ["0", "10", "1", "0", "100.0", "%"]
    assert shown[-1].split()[:4] == ["24", str(sum(range(10, 35))), "23", "34"]
