"""Every bound on what strangers send: in bytes, pixels, scans, seconds and numbers."""

# Picture files, however they reach the server.
MAX_PICTURE_BYTES = 64 * 2**20  # of an uploaded or downloaded file
MAX_PIXELS = 89_000_000  # just below Pillow's own limit for decompression bombs; 8000x6000 is 48 million
MAX_SIDE_PIXELS = 65_535  # no JPEG can have more; shrinking takes memory for each column and row
# Decoders go over the whole picture for each scan of a JPEG. Cameras and programs write 1 to 12 scans.
MAX_SCANNED_PIXELS = 12 * MAX_PIXELS  # a JPEG's scans times its pixels
MAX_SCANS = 100
MAX_HEADER_SEGMENTS = 4096  # of a JPEG; files with long metadata have some hundreds
MAX_STRAY_BYTES = 2**16  # between a JPEG's segments; Pillow reads them one by one
MAX_PLAIN_BYTES = 2**21  # of a PPM whose pixels are written as text
MAX_PNG_CHUNKS = 500_000  # this many take seconds; real files have a few thousand
MAX_PNG_ANCILLARY_BYTES = 4 * 2**20  # of a chunk without pixels
MAX_PNG_TEXT_BYTES = 2**20  # of a text once unpacked; the same as Pillow's limit
MAX_TIFF_PAGES = 64  # that are looked at for the picture
MAX_TIFF_ENTRIES = 4096  # of a page
MAX_TIFF_PROFILE_BYTES = 2**20  # of the colour profile
MAX_TIFF_VALUE_BYTES = 4096  # of any other tag that we read
MAX_PROFILE_BYTES = 4 * 2**20  # of the colour profile of any picture; printing presses' take up to 3 MB
MAX_COLOUR_BOX_BYTES = 2**20  # at the start of an AVIF or JPEG 2000 file, searched for its colour profile
MAX_TIFF_DECODED_BYTES = 712_000_000  # MAX_PIXELS with four channels of 16 bits

# Decoding. Each picture is decoded in a separate process, which is ended when it exceeds one of these. The decoder
# alone needs 0.7 s of processor time for a JPEG of 48 megapixels, 1.3 s for a PNG, and 3.4 s for a JPEG 2000 of 24
# megapixels.
MAX_DECODE_CPU_SECONDS = 5.0  # processor time; not limited on Windows
MAX_DECODE_SECONDS = 30.0  # elapsed time, which grows on a busy machine
# A decoder that takes longer lets the page and other decoders go first, on Linux.
POLITE_DECODE_SECONDS = 0.3  # elapsed time
POLITE_NICENESS = 5  # a busy core then gives it a third of what it gives another thread
MAX_DECODER_BYTES = 3 * 2**30  # of memory, only limited on Linux; 88 megapixels with transparency take 1.3 GiB

DECODER_START_SECONDS = 60.0  # for a new process to be ready; takes one second on an idle machine
DECODER_END_SECONDS = 5.0  # for a process to end once its connection is closed

# Finding faces in a photo.
MAX_WINDOWS = 600  # parts of a picture searched for small faces; this many take about 1.2 s
MAX_FACES = 400  # in a photo; each takes about 20 ms

# Photos waiting for their turn, in one queue for the page and one for the API (demo/server/turns/photo_queue.py).
MAX_PHOTOS_AT_ONCE = 20  # that a visitor may choose; the page sends each one once the one before is answered
MAX_WAITING_PHOTOS = 8  # including those being worked on
# At the same time. Every photo in work may have one, page and API together, or those of one address could drive out the
# others'. The queues' own rules say which photo has to give way.
MAX_DECODERS = 2 * MAX_WAITING_PHOTOS
MAX_KEPT_DECODERS = 8  # of those without a picture, for the next ones
PHOTO_THREADS = 2  # small photos worked on at the same time; one that takes longer than SET_ASIDE_SECONDS doesn't count
# A larger file, in bytes or characters of base64, is a large photo. Working on one takes hundreds of megabytes.
SMALL_PHOTO_SIZE = 2_000_000
# After this long the next photo starts beside a slow one. Seven slow photos thus delay the eighth by 2.8 s.
SET_ASIDE_SECONDS = 0.4
UNDISTURBED_SECONDS = 1.0  # after this long, a photo may have to give up its place to others
# A photo with more steps is slow. Each window, face or tenth of a second of decoding is a step: a picture of 640 pixels
# takes 10 to 40, a phone's photo 220.
MAX_SHORT_STEPS = 100
# Turns kept for visitors who were told to come back, in each queue of photos or live frames. Any more would wait for
# minutes.
MAX_TURNS = 256
MAX_TURNS_OF_ADDRESS = MAX_TURNS // 2  # a class behind one address needs one for each pupil
# Bounds of how long somebody in line is told to wait. Whoever comes back more than LOST_TURN_SECONDS after that has
# lost the turn.
MIN_WAIT_SECONDS = 0.2
MAX_WAIT_SECONDS = 20.0
LOST_TURN_SECONDS = 10.0
# A free place is kept for them until this long after the page should have asked again.
KEPT_PLACE_SECONDS = 3.0
# A visitor who is told to send the photo now has a place reserved for this long.
RESERVED_SECONDS = 3.0
# They keep their turn longer, without a place, for this long in all: at 1 Mbit/s a file of 10 MB takes 107 s in base64.
UPLOAD_TURN_SECONDS = 120.0
# A photo that arrives after its place was released waits at the server for the next one, up to this long.
LATE_PHOTO_SECONDS = 10.0
# Those waiting in this way, in all and of one address; in bytes of base64.
MAX_LATE_PHOTOS = 16
MAX_LATE_PHOTOS_OF_ADDRESS = MAX_LATE_PHOTOS // 2
MAX_LATE_BYTES = 6 * MAX_PICTURE_BYTES
MAX_LATE_BYTES_OF_ADDRESS = MAX_LATE_BYTES // 2
MAX_NAME_CHARACTERS = 255  # of a picture's file name; the same as in file systems
MAX_VISITOR_CHARACTERS = 32  # of the word that tells one open page from another

# Live frames. The page sends baseline JPEGs of 20,000 to 80,000 characters, 480 pixels high.
MAX_FRAME_CHARACTERS = 1_000_000  # of a data URL
MAX_FRAME_SIDE = 1280  # pixels
MAX_FRAME_SEGMENTS = 64  # of the JPEG's headers
OWN_FRAME_SECONDS = 0.25  # after which to try again if the visitor's last frame is still in work
FRAME_THREADS = 2  # frames worked on at the same time
MAX_WAITING_FRAMES = 128  # including those being worked on; the last one waits for about a second
# Only the largest faces in a frame are read: each new one takes about 20 ms. Class mode shows two, and the detector can
# find about six side by side.
MAX_LIVE_FACES = 8
MAX_FRAME_SECONDS = 2.0  # of work; eight new faces take 0.2 s, or several times as long on a busy machine
# Visitors who freeze the picture or look at another tab find the same face numbers if they come back within this time.
# Until then each takes up some kB.
MAX_SILENCE_SECONDS = 60.0
MAX_VISITORS = 1000  # remembered at the same time; at most MAX_WAITING_FRAMES of them have a frame waiting or in work

# Headers and bodies of requests.
MAX_HEADERS_BYTES = 16 * 1024  # of a request, including its first line; browsers send about 1 kB
REFUSED_HEADERS_SECONDS = 2.0  # before closing the connection, so that a client still sending can read the refusal
MAX_BODY_BYTES = MAX_PICTURE_BYTES * 3 // 2  # base64 makes a picture a third longer
SMALL_BODY_BYTES = 2**20  # a camera frame, for example, is smaller
# Larger bodies share this much until the page takes them. When it is full, the address that holds most gives up the
# slowest of those that still arrive.
MAX_LARGE_BODIES_BYTES = 8 * MAX_BODY_BYTES  # in all
MAX_LARGE_BODIES_BYTES_OF_ADDRESS = 3 * MAX_BODY_BYTES
# A body has BODY_SECONDS to arrive. It may take up to MAX_BODY_SECONDS as long as it has kept this rate over the last
# BODY_PROGRESS_SECONDS. When all connections are in use, those with slower bodies are closed before idle ones.
BODY_SECONDS = 20.0
MIN_BODY_BYTES_PER_SECOND = 32 * 1024
BODY_PROGRESS_SECONDS = 10.0
NO_ROOM_SECONDS = 10  # after which to send a body again that had to make room for others
MAX_BODY_SECONDS = 600.0
# The rest of a refused body is read and dropped before the connection is closed, so that its sender gets the answer.
# That ends after one of these.
REFUSED_BODY_SECONDS = 10.0  # in all
REFUSED_BODY_PAUSE_SECONDS = 2.0  # without a byte
MAX_REFUSED_BODY_BYTES = MAX_BODY_BYTES
# Parsers handle chunks, form parts and values one by one, on the thread that serves the whole site.
MAX_BODY_CHUNKS = 256  # of a body sent in chunks, plus one for every MIN_CHUNK_BYTES
MIN_CHUNK_BYTES = 128  # on average beyond those 256; programs and proxies send kilobytes in each
MAX_BOUNDARY_BYTES = 70  # of a form, as in RFC 2046
MAX_FORM_DELIMITERS = 20  # one before each file of a form, and one at the end; programs send one file
MAX_FORM_PADDING_BYTES = 1024  # of blanks after a delimiter, or of line breaks before the first
MAX_BODY_VALUES = 10_000  # in any body but an upload; calls have some dozens, and a picture is a single value

# Files in the temporary folder. Uploads wait there until a call about them is answered. When too many wait, no more are
# accepted until some are gone.
MAX_WAITING_UPLOADS = 1_000
MAX_WAITING_UPLOAD_BYTES = 16 * MAX_PICTURE_BYTES  # demo/replicas/compose.yaml has room for these and a little more
MAX_WAITING_UPLOADS_OF_ADDRESS = MAX_WAITING_UPLOADS // 2
MAX_WAITING_UPLOAD_BYTES_OF_ADDRESS = MAX_WAITING_UPLOAD_BYTES // 2
UNASKED_SECONDS = 300  # the age at which an upload is deleted if no call about it was answered
# The age at which any other file is deleted, even if its request is still going on. With ROUND_SECONDS on top, it is
# gone within a minute.
LEFTOVER_SECONDS = 45
ROUND_SECONDS = 10  # between two searches of the temporary folder for such files

# The page itself, its configuration and its lists of functions. Making one takes 1 to 4 ms of Python, which runs on one
# core however many threads do it.
PAGES_AT_ONCE = 1

# Gradio's queue and sessions.
MAX_QUEUED_CALLS = 64  # in Gradio's own queue
FULL_QUEUE_SECONDS = 2  # after which to try again if that queue is full; Gradio doesn't say when
SHORTAGE_SECONDS = 10  # after which to call again if memory is short; most photos in work have ended by then
UNFETCHED_SECONDS = 60.0  # for which the result of a call in that queue is kept
# Gradio makes a session of 50 kB for each call in its queue, or for each session name that calls give. Nothing of what
# they send is kept in it.
MAX_SESSIONS = 100
MAX_SESSION_CHARACTERS = 64  # of a session's name; Gradio's own clients use 36

# Downloads of pictures whose web addresses language models give.
MAX_DOWNLOADS = 4  # at the same time; each may hold MAX_PICTURE_BYTES
DOWNLOAD_SECONDS = 60  # for one picture, including all redirects
MAX_REDIRECTS = 5

# Connections.
MAX_CONNECTIONS = 1000
# When all are in use, the address that holds the most makes room first, if it holds more than this. A browser opens up
# to 6.
MANY_CONNECTIONS_OF_ADDRESS = 32
SPARE_FILES = 200  # that the program may have open besides its connections
HANDSHAKE_SECONDS = 5.0  # for the TLS handshake
IDLE_CONNECTION_SECONDS = 30.0  # for a connection's first request, or the headers of a further one, to arrive
KEEP_ALIVE_SECONDS = 5  # after an answer, for the next request to begin
# When all connections are in use, an answer that has taken longer may be cut off; of an address that holds many
# connections, any answer. Answers about photos take seconds.
LONG_ANSWER_SECONDS = 60.0
# A client must read at least MIN_READ_BYTES of a waiting answer in this time, or all that waits. Whoever reads at
# MIN_BODY_BYTES_PER_SECOND does so, although sockets take up to 1.8 MB at once, and then nothing for up to 54 s.
UNREAD_SECONDS = 60.0
MIN_READ_BYTES = 2**20

# The watchdog, which ends the process if it hangs. These are long enough that nothing strangers may send, however slow
# it is to handle, counts as hanging.
WATCH_SECONDS = 5.0  # between two checks
LOOP_HANG_SECONDS = 60.0  # without an answer from the event loop
# Without a step of work on a frame or photo. The longest step is the network's, with MAX_FACES faces: about 2 s, or
# many times as long on a busy machine.
WORK_HANG_SECONDS = 180.0
UNHEALTHY_SECONDS = 60.0  # without a step of work, after which /healthz answers 503
