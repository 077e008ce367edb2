"""`pip install .`: the library and dam-describe, without ROS. The ROS package is built by CMakeLists.txt."""
from pathlib import Path
import re

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(r'<version>\s*([^<\s]+)\s*</version>', (HERE / 'package.xml').read_text(encoding='utf-8')).group(1)

setup(
    name='dam_ros',
    version=VERSION,
    description='Describe any region of a picture, in text and aloud; with ROS 2 nodes',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['dam_ros', 'dam_ros.*']),
    package_data={'dam_ros': ['data/*', 'data/locale/*/LC_MESSAGES/*']},
    install_requires=['numpy>=1.21', 'opencv-python-headless>=4.5,<5'],
    extras_require={
        # Lower bounds only: a torch that is already there (a Jetson's) satisfies them and is left alone.
        # tests/test_dev.py compares them with requirements/oldest.txt, which .ci/run tries.
        'dam': ['torch>=2.4', 'safetensors>=0.4.1', 'sentencepiece>=0.1.99', 'pillow>=9.1', 'huggingface-hub>=0.23.2',
                'numba>=0.59'],
        'sam': ['torch>=2.1', 'transformers>=4.45'],
        'remote': [],   # the standard library speaks HTTP
        'speech': ['pyttsx3>=2.90'],
        # GPL-3.0-or-later, unlike us: run as a program, never imported, and installed only by who asks for it.
        'piper': ['piper-tts>=1.3'],
    },
    entry_points={'console_scripts': ['dam-describe=dam_ros.cli:main']},
)
