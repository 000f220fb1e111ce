"""Finds keys, tokens and passwords in files that are about to be published, by name and by content.

The shapes of keys are those that services document, or show in their examples. Passwords have no shape, so they are
found by the name before them, and only in quotes or written as in .env files: elsewhere code looks the same.

Of the libraries, detect-secrets (1.5.0) finds no tokens of Hugging Face or Kaggle and nothing in .env files, and takes
checksums for keys.
"""

import re
from pathlib import Path

# In lower case, and without what copies add.
_NAMES = re.compile(
    r"(.*\.)?env(\..*)?|\.env(rc|[-_].*)|\.(netrc|pypirc|pgpass|htpasswd|git-credentials)|kaggle\.json"
    r"|(.*[-_])?credentials(\.(json|csv|ya?ml|toml|ini))?|(token|secret)s?(\..*)?|client[-_]secret.*\.json"
    r"|service[-_]account.*\.json|id_(rsa|dsa|ed25519|ecdsa)(_sk)?"
    r"|.*\.(pem|key|p8|p12|pfx|ppk|jks|keystore|kdbx)"
)
_OF_A_COPY = re.compile(r"( -)? copy| ?\(\d+\)|(\.(bak|backup|copy|old|orig|save)|~)+$")
_ASSIGNED = rb"""["'\]\\]*\s*[:=]\s*["'\\]*"""
_QUOTED = rb"""["'\]\\]*\s*(:\s*str\s*)?[:=]\s*b?\\*["']"""
# What stands for a value that is elsewhere, or that the reader has to put in.
_NO_PLACEHOLDER = (
    rb"""(?![<{\[]|\$[\w{(]|%[s(]|your[-_]|(?i:[x*.]+|((my|your)[-_]?)?(pass(word|wd|phrase)?|secret|token)"""
    rb"""|str(ing)?|text|none|null|true|false|change[-_]?me|example|required|optional)(?![^\s"'\\@]))"""
)
_PASSWORD = _NO_PLACEHOLDER + rb"""[^\s"'`$(){}<>\[\],;\\]{4,}(?=[\s"'\\]|\Z)"""
_QUOTED_PASSWORD = _NO_PLACEHOLDER + rb"""[^\s"'`\\]{4,}(?=[\s"'\\]|\Z)"""  # the quotes end it
_RANDOM = _NO_PLACEHOLDER + rb"(?=[A-Za-z_+/=.~-]*\d)[\w+/=.~-]{16,}"
_ASSIGNED_RANDOM = b"(" + _QUOTED + _RANDOM + rb"""\\*["']|=(?!=)""" + _RANDOM + rb"(?=\s|\Z))"
_IN_ADDRESS = rb"""://[\w.%+~-]*:""" + _NO_PLACEHOLDER + rb"""[^\s/?#@"'`\\<>{}\x7f-\xff]+@[\w\[]"""
# What it is, a part of it in lower case that is quick to search for, and its shape. Keys begin at a word boundary, so
# that names and random bytes don't count; if the part is common, the boundary is checked only after the first letters.
_SHAPES = (
    ("a private key", b"private key", rb"-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----"),
    ("a private key", b"putty-user", rb"PuTTY-User-Key-File-\d"),
    ("a secret key of AWS", b"secret", rb"(?i:aws_?secret_?(access_?)?key)" + _ASSIGNED + rb"[A-Za-z0-9/+]{16}"),
    ("a key of AWS", b"akia", rb"(?<!\w)AKIA[A-Z0-9]{16}(?!\w)"),
    ("a key of AWS", b"asia", rb"(?<!\w)ASIA[A-Z0-9]{16}(?!\w)"),
    ("a key of OpenAI, Anthropic or the like", b"sk-", rb"(?<![\w-])sk-([\w-]*[A-Za-z0-9]{16}|[\w-]{40})"),
    ("a token of Hugging Face", b"hf_", rb"(?<!\w)hf_[A-Za-z0-9]{20}"),
    ("a token of GitHub", b"gh", rb"gh[pousr]_(?<!\w....)[A-Za-z0-9]{36}"),
    ("a token of GitHub", b"github_pat_", rb"(?<!\w)github_pat_\w{22}"),
    ("a token of GitLab", b"glpat-", rb"(?<![\w-])glpat-[\w-]{20}"),
    ("a key of Kaggle", b"key", rb"""key(?<!\w...)\\?["']\s*:\s*\\?["'][0-9a-f]{32}(?!\w)"""),
    ("a key of Kaggle", b"kaggle", rb"(?i:kaggle_key)" + _ASSIGNED + rb"[0-9a-f]{32}(?!\w)"),
    ("a token of Kaggle", b"kgat_", rb"(?<!\w)KGAT_[0-9a-f]{32}(?!\w)"),
    ("a key of Google", b"aiza", rb"(?<![\w-])AIza[\w-]{35}"),
    ("a secret of Google", b"gocspx-", rb"(?<![\w-])GOCSPX-[\w-]{20}"),
    ("a key of Stripe", b"k_", rb"[sr]k_(?<!\w...)(live|test)_[A-Za-z0-9]{16}"),
    ("a token of Slack", b"xox", rb"(?<![\w-])xox[abeoprs]-[\w-]{10}"),
    ("a token of PyPI", b"pypi-age", rb"(?<![\w-])pypi-AgE[\w-]{20}"),
    ("a token of npm", b"npm_", rb"(?<!\w)npm_[A-Za-z0-9]{36}"),
    ("a token of a registry", b":_", rb":_(authToken|password)\s*=\s*[^$\s]"),
    ("a key of Weights & Biases", b"wandb", rb"(?i:wandb_api_key)" + _ASSIGNED + rb"[\w-]{20}"),
    ("a password in an address", b"://", _IN_ADDRESS),
    ("a password", b"pass", rb"(?i:pass(word|wd|phrase))" + _QUOTED + _QUOTED_PASSWORD),
    ("a password", b"pass", rb"((?m:^)[\w.-]*(?i:pass(word|wd|phrase))|PASS(WORD|WD|PHRASE))=(?!=)" + _PASSWORD),
    ("a secret key", b"secret", rb"(?i:client[-_]?secret|secret[-_]?(access[-_]?)?key)" + _ASSIGNED_RANDOM),
    ("an API key", b"api", rb"(?i:api[-_]?key)" + _ASSIGNED_RANDOM),
    ("a token", b"token", rb"(?i:(access|auth|refresh)[-_]?token)" + _ASSIGNED_RANDOM),
)
_TWO_BYTE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, which Windows programs write


def is_named_like_a_secret(path: Path) -> bool:
    """Whether files with this name usually hold secrets, such as `prod.env`, `kaggle.json` or `id_rsa`.

    Args:
        path: path of the file.
    """
    return _NAMES.fullmatch(_OF_A_COPY.sub("", path.name.lower())) is not None


def find_key(content: bytes) -> tuple[int, str] | None:
    """Find the first key in a file.

    Args:
        content: the whole file, of any kind.

    Returns:
        The number of its line, from 1, and what it is; None if there is none. The key itself is left out, since the
        answer may be printed.
    """
    if content.startswith(_TWO_BYTE_MARKS):
        content = content.replace(b"\0", b"")
    lower = content.lower()
    found = ((re.search(shape, content), what) for what, part, shape in _SHAPES if part in lower)
    start, what = min(((match.start(), what) for match, what in found if match), default=(-1, ""))
    return (content.count(b"\n", 0, start) + 1, what) if what else None
