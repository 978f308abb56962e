"""Advice on Dockerfiles as people write them: it stands, and keeps their lines."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from layerlens.advising import AdviceRequest, advise_on
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.stage_graph import Tier
from layerlens.errors import UsageError

FIXTURES = Path(__file__).parent.parent / "fixtures"
DOCKERFILES = sorted((FIXTURES / "dockerfiles").glob("*.Dockerfile"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_a_better_order_has_the_lines_of_the_old_one(path: Path, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_bytes(path.read_bytes())
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    for tier in Tier:
        advice = advise_on(AdviceRequest(dockerfile=str(dockerfile), tier=tier), None).advice
        assert advice.outcome(()).text == text
        assert all(each.tier.rank <= tier.rank for each in advice.suggestions)
        after = advice.outcome(advice.numbers).text
        old, new = (Counter(each.strip() for each in both.split("\n")) for both in (text, after))
        put_in = {
            each.step.text.strip()
            for suggestion in advice.suggestions
            for each in suggestion.rewordings
        }
        assert not old - new
        assert set(new - old) <= put_in
        assert len(parse_dockerfile(after.encode("utf-8", "surrogateescape")).stages) == len(
            advice.dockerfile.stages
        )


def test_there_is_nothing_to_advise_on() -> None:
    with pytest.raises(UsageError):
        advise_on(AdviceRequest(dockerfile=None), None)
