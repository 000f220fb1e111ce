"""Every bound on what strangers send: in bytes, pixels, scans, seconds and numbers."""

# Pictures, at every door.
MAX_PICTURE_BYTES = 64 * 2**20  # of an uploaded or downloaded file
MAX_PIXELS = 89_000_000  # Pillow's own bound against decompression bombs is a little higher; 8000x6000 is 48 million
# Decoders go over the whole picture for each scan of a JPEG: cameras and programs make 1 to 12.
MAX_SCANNED_PIXELS = 12 * MAX_PIXELS
MAX_SCANS = 100
MAX_HEADER_SEGMENTS = 4096  # of a JPEG; those of long metadata have some hundreds
MAX_STRAY_BYTES = 2**16  # between a JPEG's segments, which Pillow reads one by one
MAX_PLAIN_BYTES = 2**21  # of a PPM whose pixels are written as text

MAX_WAITING_PHOTOS = 8
MAX_NAME_CHARACTERS = 255  # of a picture's file, as file systems have it

# Live frames: the page sends baseline JPEGs of 20,000 to 80,000 characters, 480 pixels high.
MAX_FRAME_CHARACTERS = 1_000_000  # of a data URL
MAX_FRAME_SIDE = 1280  # pixels
MAX_FRAME_SEGMENTS = 64
MAX_WAITING_FRAMES = 128  # the last of them waits for about a second

# Requests and connections.
MAX_BODY_BYTES = MAX_PICTURE_BYTES * 3 // 2  # in base64 a picture is a third longer
SMALL_BODY_BYTES = 2**20  # such as a camera frame; larger ones share these:
MAX_LARGE_BODIES_BYTES = 8 * MAX_BODY_BYTES  # in all, while they arrive
MAX_LARGE_BODIES_BYTES_OF_ADDRESS = 3 * MAX_BODY_BYTES
# A body has this long to arrive, and longer by what has come of it at this rate.
BODY_SECONDS = 20.0
MIN_BODY_BYTES_PER_SECOND = 32 * 1024
MAX_BODY_SECONDS = 600.0
# Of a form, whose parser takes these one by one on the thread that serves the whole site.
MAX_FORM_DELIMITERS = 2_000  # Gradio takes 1000 files
MAX_FORM_PADDING_BYTES = 1024
MAX_CONNECTIONS = 1000
SPARE_FILES = 200  # that the program has open beside its connections
IDLE_CONNECTION_SECONDS = 30.0  # before a connection's first request is here
