"""Describe any region of a camera's picture, in text and aloud.

The generated interfaces (`dam_ros.msg`, `.srv`, `.action`) are a package of the same name in another folder when this
one is imported from a checkout or from pip. Hence the extended path, and the check that all of it is one version.
"""
from pathlib import Path
from pkgutil import extend_path

from dam_ros.version import agreed_version

# A mere folder called dam_ros (a checkout's root, seen from its parent folder) is no part of the package.
__path__ = [folder for folder in extend_path(__path__, __name__) if (Path(folder) / '__init__.py').is_file()]
__version__ = agreed_version(__path__)
