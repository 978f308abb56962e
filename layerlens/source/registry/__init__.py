"""Images in registries, read as they stream by (distribution spec).

``requests`` is imported only in here, and only once a registry is used: ``registry_blob`` and
``registry_options`` are values that others may import freely; the rest is imported when needed.
"""
