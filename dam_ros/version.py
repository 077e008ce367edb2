"""Which version each copy of this package on the path has, and that they are one.

The version is written in package.xml alone. An installed copy carries it in the name of the metadata folder that
pip or ament puts beside it, so nothing here parses metadata. It does not know ROS.
"""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
import re

_IN_PACKAGE_XML = re.compile(r'<version>\s*([^<\s]+)\s*</version>')
_IN_FOLDER_NAME = re.compile(r'dam_ros-([^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info')


def version_of(folder: Path) -> str:
    """The version of the copy whose Python package is `folder`; '' where nothing tells it."""
    source = folder.parent / 'package.xml'
    if source.is_file():
        found = _IN_PACKAGE_XML.search(source.read_text(encoding='utf-8'))
        return found.group(1) if found else ''
    names = (_IN_FOLDER_NAME.fullmatch(beside.name) for beside in folder.parent.glob('dam_ros-*-info'))
    return ', '.join(sorted(name.group(1) for name in names if name))


def agreed_version(folders: Iterable[str]) -> str:
    """The one version of all copies. Raises ImportError where two of them differ."""
    first_folder, first = '', ''
    for folder in folders:
        version = version_of(Path(folder))
        if not first:
            first_folder, first = folder, version
        elif version and version != first:
            raise ImportError(
                f'two versions of dam_ros are on the Python path: {first} in {first_folder} and {version} in {folder}. '
                'Build or install them again from the same source, or take one of them off the path '
                '(pip uninstall dam_ros, or a shell that has not sourced the other install folder).')
    return first or 'unknown'
