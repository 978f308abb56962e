"""What a crawl changed, told by the times that stand beside what it wrote.

A run starts later than anything before it was written: what bears a time from its start on is its
own finding. Of another run's, over other repositories at the same time, only repositories that
this one looked at are counted.
"""

from __future__ import annotations

import sqlite3

from layerlens.audit.records import CrawlRun, RunChanges

_TAGS = """
SELECT
    COUNT(tag.first_seen >= :started OR NULL),
    COUNT((moved >= :started AND EXISTS (
        SELECT 1 FROM tag_history WHERE tag_id = tag.id AND last_seen < :started
    )) OR NULL),
    COUNT((tag.removed >= :started AND tag.first_seen < :started) OR NULL)
FROM tag JOIN repository ON repository.id = repository_id
WHERE repository.queued_run = :run OR repository.removed >= :started
"""
_REPOSITORIES = "SELECT COUNT(*) FROM repository WHERE removed >= :started AND listed IS NOT NULL"
_EARLIER = "SELECT EXISTS (SELECT 1 FROM run WHERE id < :run AND finished IS NOT NULL)"


def run_changes(connection: sqlite3.Connection, run: CrawlRun) -> RunChanges:
    """What the run found otherwise than it was."""
    values = {"run": run.key, "started": run.started}
    added, moved, removed = connection.execute(_TAGS, values).fetchone()
    (repositories,) = connection.execute(_REPOSITORIES, values).fetchone()
    (earlier,) = connection.execute(_EARLIER, values).fetchone()
    return RunChanges(
        earlier=bool(earlier),
        tags_added=added,
        tags_moved=moved,
        tags_removed=removed,
        repositories_removed=repositories,
    )
