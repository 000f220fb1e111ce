"""The marks of a JPEG file that this folder's modules look for, as ITU-T T.81 (Annex B) numbers them.

A mark is the byte 0xFF and a code. After most codes come two bytes with the length of the segment's body, these two
included.
"""

import re

# A mark that begins a segment: not an escaped byte, padding, or a restart.
SEGMENT_MARK = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")
RESTART_MARK = re.compile(rb"\xff([\xd0-\xd7])")

FIRST_RESTART = 0xD0  # of eight, which follow each other in turn
START_OF_IMAGE, END_OF_IMAGE = 0xD8, 0xD9
START_OF_SCAN = 0xDA
TEMPORARY = 0x01
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the three are no frames
JFIF, PROFILE, PHOTOSHOP, COMMENT = 0xE0, 0xE2, 0xED, 0xFE
