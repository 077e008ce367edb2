"""The words that DAM is asked with where the caller asks nothing. They know no template and no placeholder.

Detail NORMAL is the model's official query, verbatim (dam-spec 8; the authors' README and demos). BRIEF and FULL are
our own wording of the same request.
"""
from __future__ import annotations

from dam_ros.core.describing import BRIEF, FULL, NORMAL

IMAGE = {
    NORMAL: 'Describe the masked region in detail.',
    BRIEF: 'Describe the masked region in one short sentence.',
    FULL: 'Describe the masked region in as much detail as possible.',
}
JOINT_IMAGE = {
    NORMAL: 'Given the image above, describe the object in the masked region.',
    BRIEF: 'Given the image above, describe the object in the masked region in one short sentence.',
    FULL: 'Given the image above, describe the object in the masked region in as much detail as possible.',
}
JOINT_VIDEO = {
    NORMAL: 'Given the video in the form of a sequence of frames above, describe the object in the masked region in '
            'the video in detail.',
    BRIEF: 'Given the video in the form of a sequence of frames above, describe the object in the masked region in '
           'the video in one short sentence.',
    FULL: 'Given the video in the form of a sequence of frames above, describe the object in the masked region in '
          'the video in as much detail as possible.',
}


def query_for(question: str, detail: int, joint: bool, pictures: int) -> str:
    """The question, or the query of this detail for a checkpoint of this kind (`joint`: image and video)."""
    if question:
        return question
    if not joint:
        return IMAGE[detail]
    return (JOINT_VIDEO if pictures > 1 else JOINT_IMAGE)[detail]
