"""Serves `plotly.min.js` from its wheel, so that no file of another project is kept in the tree and none is fetched."""

from importlib.util import find_spec
from pathlib import Path

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

PACKAGE_FILES = {"plotly/plotly.min.js": ("plotly", "package_data/plotly.min.js")}


class PackageFinder(BaseFinder):
    """Static files that lie inside Python packages as plain data, without being a Django app."""

    def check(self, **kwargs):
        return []

    def _path(self, name: str) -> Path:
        package, inside = PACKAGE_FILES[name]
        return Path(find_spec(package).origin).parent / inside

    def find(self, path, find_all=False, **kwargs):
        found = str(self._path(path)) if path in PACKAGE_FILES else None
        if find_all:
            return [found] if found else []
        return found or []

    def list(self, ignore_patterns):
        for name in PACKAGE_FILES:
            folder = self._path(name).parent
            storage = FileSystemStorage(location=folder)
            storage.prefix = "plotly"
            yield Path(name).name, storage
