from hypothesis import given, settings

from audit.made_registries import MadeRegistry, holdings_of, made_registries
from layerlens.analysis.sharing import Identity, Unit, sharing
from layerlens.audit.repository_layers import repository_layers
from layerlens.audit.repository_shares import ShareOrder, repository_shares


@given(made_registries())
@settings(max_examples=30)
def test_they_share_what_the_report_says(made: MadeRegistry) -> None:
    with holdings_of(made) as holdings:
        repositories = repository_layers(holdings)
        report = list(repository_shares(holdings, Identity.BLOB_DIGEST, ShareOrder.NAME, None))
    found = sharing(repositories, Identity.BLOB_DIGEST, Unit.COMPRESSED)
    assert [
        (each.title.image, share.own, share.exclusive, share.amortised)
        for each, share in zip(repositories, found.images, strict=True)
    ] == [(each.repository, each.own, each.exclusive, each.amortised) for each in report]
