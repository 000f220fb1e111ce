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
MAX_PNG_CHUNKS = 500_000  # which take seconds; real files have a few thousand
MAX_PNG_ANCILLARY_BYTES = 4 * 2**20  # of a chunk beside the pixels
MAX_PNG_TEXT_BYTES = 2**20  # unpacked, as Pillow allows
MAX_TIFF_PAGES = 64  # longer documents are no photos
MAX_TIFF_ENTRIES = 4096  # of a page
MAX_TIFF_PROFILE_BYTES = 2**20
MAX_TIFF_VALUE_BYTES = 4096  # of any other tag that matters
MAX_COLOUR_BOX_BYTES = 2**20  # of an AVIF or JPEG 2000 file, from its beginning, in which its colour profile is sought
MAX_TIFF_DECODED_BYTES = 712_000_000  # of MAX_PIXELS with 16 bits and four channels

# Each picture is decoded in a process that is ended beyond these. The processor time is that of its decoder alone: a
# 48-megapixel JPEG takes 0.7 s, a PNG 1.3 s, JPEG 2000 of 24 megapixels 3.4 s. Windows bounds the time that passes
# only, which grows on a busy machine.
MAX_DECODE_CPU_SECONDS = 5.0
MAX_DECODE_SECONDS = 30.0
MAX_DECODERS = 8  # at the same time: 6 of photos that have just begun, page and API together, and 2 that take longer
MAX_DECODER_BYTES = 3 * 2**30  # of memory; 88 megapixels with transparency take 1.3

DECODER_START_SECONDS = 60.0  # in which a new process is ready; one second where the machine is not busy
DECODER_END_SECONDS = 5.0  # from the break of its connection to its end

MAX_WINDOWS = 600  # in which small faces of a picture are looked for; they take about 1.2 s
MAX_FACES = 400  # of a photo; each takes about 20 ms

MAX_PHOTOS_AT_ONCE = 20  # of a visitor: the page sends one when the one before is answered
MAX_WAITING_PHOTOS = 8
PHOTO_THREADS = 2  # photos that are worked on at a time, until one has taken a while (SET_ASIDE_SECONDS)
# A larger file, in bytes or characters of base64, is a large photo; to work on one takes hundreds of megabytes.
SMALL_PHOTO_SIZE = 2_000_000
# Nobody waits for a photo that takes long (demo/server/turns/photo_queue.py). Seven of them keep the eighth for 2.8 s.
SET_ASIDE_SECONDS = 0.4
UNDISTURBED_SECONDS = 1.0
MAX_SHORT_STEPS = (
    100  # windows, faces and tenths of a second of decoding; 640 pixels take 10 to 40, a phone's photo 220
)
# Of those who are told to come again, at the photos and at the live frames each: more would wait for minutes.
MAX_TURNS = 256
# For how long a place is kept for somebody who has been told to send the photo; and their turn, in which it is kept for
# nobody: a file of 10 MB takes 107 s at 1 Mbit/s, in base64. Such photos then wait at the server for the next place.
RESERVED_SECONDS = 3.0
UPLOAD_TURN_SECONDS = 120.0
LATE_PHOTO_SECONDS = 10.0
MAX_LATE_PHOTOS = 4  # one of an address
MAX_NAME_CHARACTERS = 255  # of a picture's file, as file systems have it
MAX_VISITOR_CHARACTERS = 32  # of what tells the open pages apart

# Live frames: the page sends baseline JPEGs of 20,000 to 80,000 characters, 480 pixels high.
MAX_FRAME_CHARACTERS = 1_000_000  # of a data URL
MAX_FRAME_SIDE = 1280  # pixels
MAX_FRAME_SEGMENTS = 64
FRAME_THREADS = 2  # frames that are worked on at a time
MAX_WAITING_FRAMES = 128  # the last of them waits for about a second
# Of a frame, the largest: each new one takes about 20 ms. Class mode shows two, and the detector sees about six across.
MAX_LIVE_FACES = 8
MAX_FRAME_SECONDS = 2.0  # of work; eight new faces take 0.2 s, and several times as long on a busy machine
# Who freezes the picture or looks at another tab comes back to the same numbers. A stream takes some kB meanwhile.
MAX_SILENCE_SECONDS = 60.0
MAX_VISITORS = 1000  # who are remembered meanwhile, of whom MAX_WAITING_FRAMES at most have a frame in work

# Requests and connections.
MAX_HEADERS_BYTES = 16 * 1024  # of a request, its first line included; browsers send about 1 kB
REFUSED_HEADERS_SECONDS = 2.0  # until the connection is closed, so that the answer is read while headers still come
MAX_BODY_BYTES = MAX_PICTURE_BYTES * 3 // 2  # in base64 a picture is a third longer
SMALL_BODY_BYTES = 2**20  # such as a camera frame
# Larger ones share these while they arrive. Of more, the slowest of the address that holds most gives way.
MAX_LARGE_BODIES_BYTES = 8 * MAX_BODY_BYTES  # in all
MAX_LARGE_BODIES_BYTES_OF_ADDRESS = 3 * MAX_BODY_BYTES
# A body has this long to arrive, and longer while it has come at this rate over the last seconds. Where all connections
# are in use, those whose body comes more slowly make room before idle ones.
BODY_SECONDS = 20.0
MIN_BODY_BYTES_PER_SECOND = 32 * 1024
BODY_PROGRESS_SECONDS = 10.0
MAX_BODY_SECONDS = 600.0
# What still comes of a body that is refused is read and dropped before the connection is closed, so that its sender
# finds the answer: for this long in all, for this long without a byte, and up to so many bytes.
REFUSED_BODY_SECONDS = 10.0
REFUSED_BODY_PAUSE_SECONDS = 2.0
MAX_REFUSED_BODY_BYTES = MAX_BODY_BYTES
# Parsers take these one by one on the thread that serves the whole site.
MAX_BODY_CHUNKS = 256  # of a body that comes in chunks, beyond those of the next line
MIN_CHUNK_BYTES = 128  # of the others on average; programs and proxies send kilobytes in each
MAX_BOUNDARY_BYTES = 70  # of a form, by RFC 2046
MAX_FORM_DELIMITERS = 20  # of a form: one before each file, and one at the end; programs send one file
MAX_FORM_PADDING_BYTES = 1024
MAX_BODY_VALUES = 10_000  # of any other body; calls have some dozens, whose pictures are one text each
# Of uploads that no call has read. Then no more are taken, until calls have read some, or they are too old.
MAX_WAITING_UPLOADS = 1_000
MAX_WAITING_UPLOAD_BYTES = 16 * MAX_PICTURE_BYTES  # demo/replicas/compose.yaml has room for them, and some more
MAX_WAITING_UPLOADS_OF_ADDRESS = MAX_WAITING_UPLOADS // 2
MAX_WAITING_UPLOAD_BYTES_OF_ADDRESS = MAX_WAITING_UPLOAD_BYTES // 2
UNASKED_SECONDS = 300  # the age at which an upload is deleted that no call has read
# The age at which anything else is deleted, though its request goes on; with the time between two rounds, in a minute.
LEFTOVER_SECONDS = 45
ROUND_SECONDS = 10  # from one look through the temporary folder to the next
MAX_QUEUED_CALLS = 64  # in Gradio's own queue
UNFETCHED_SECONDS = 60.0  # how long the result of a call in that queue can be fetched
# That Gradio keeps 50 kB for: one for each call in its queue, or for each name that calls give. The page keeps nothing
# in them.
MAX_SESSIONS = 100
MAX_SESSION_CHARACTERS = 64  # of a session's name; those of Gradio's clients have 36
MAX_DOWNLOADS = 4  # for language models, at the same time; each may hold MAX_PICTURE_BYTES
DOWNLOAD_SECONDS = 60  # of a picture that is named by its address, with all redirects
MAX_REDIRECTS = 5
MAX_CONNECTIONS = 1000
# Where all are in use, those of addresses that hold more than this make room first. A browser opens up to 6.
MANY_CONNECTIONS_OF_ADDRESS = 32
SPARE_FILES = 200  # that the program has open beside its connections
HANDSHAKE_SECONDS = 5.0  # of TLS
IDLE_CONNECTION_SECONDS = 30.0  # before a connection's first request is here
KEEP_ALIVE_SECONDS = 5  # after an answer, before the next request begins
# An answer that has gone on for longer makes room where all connections are in use; those of photos take seconds.
LONG_ANSWER_SECONDS = 60.0
# While an answer waits for its reader: this much has to be taken in that time. Sockets take it in lumps of megabytes.
UNREAD_SECONDS = 60.0
MIN_READ_BYTES = 2**16

# The page asks itself whether it still moves. Nothing that strangers may send, however long it takes, may seem to hang.
WATCH_SECONDS = 5.0  # from one look to the next
LOOP_HANG_SECONDS = 60.0  # without an answer of the event loop, after which the process ends
# Likewise without a step of a frame or photo. The longest step is the network's, of MAX_FACES faces: about 2 s, and
# many times as long on a busy machine.
WORK_HANG_SECONDS = 180.0
UNHEALTHY_SECONDS = 60.0  # without a step, after which /healthz tells
