"""A registry as a whole: the catalogue of what it holds, the crawl that fills it, the measures."""
