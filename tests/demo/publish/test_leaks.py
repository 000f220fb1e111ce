from pathlib import Path

import pytest

from demo.publish.leaks import find_key, is_named_like_a_secret

# In two parts, so that this file itself has no key.
KEYS = {
    "a private key": ("-----BEGIN OPENSSH PRIVATE ", "KEY-----"),
    "a secret key of AWS": ('"AWS_SECRET_ACCESS_KEY": ', '"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'),
    "a key of AWS": ("AKI", "AIOSFODNN7EXAMPLE"),
    "a key of OpenAI, Anthropic or the like": ("sk", "-proj-" + "aB3" * 16),
    "a token of Hugging Face": ("h", "f_" + "a" * 34),
    "a token of GitHub": ("gh", "p_" + "a1" * 18),
    "a token of GitLab": ("gl", "pat-" + "a1_" * 7),
    "a key of Kaggle": ('{"username":"me","k', 'ey":"' + "0f" * 16 + '"}'),
    "a token of Kaggle": ("KG", "AT_" + "0f" * 16),
    "a secret of Google": ("GOC", "SPX-" + "a-3_b" * 6),
    "a key of Google": ("AI", "za" + "a-3_b" * 7),
    "a key of Stripe": ("sk_", "live_" + "a1" * 12),
    "a token of Slack": ("xo", "xb-123456789012-abc"),
    "a token of PyPI": ("pypi-", "AgEIcHlwaS5vcmc" + "a1" * 20),
    "a token of npm": ("np", "m_" + "a1" * 18),
    "a token of a registry": ("//registry.example.org/:_auth", "Token=abcdef"),
    "a key of Weights & Biases": ("WANDB_API", "_KEY=" + "0f" * 20),
    "a password in an address": ("postgres:/", "/u:pw@db/x"),
    "a password": ('{"pass', 'word": "hunter2"}'),
    "a secret key": ("secretAccess", 'Key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'),
    "an API key": ("SOME_API_", "KEY=" + "a1" * 10),
    "a token": ("ACCESS_", "TOKEN=" + "a1" * 10),
}


@pytest.mark.parametrize("what", KEYS)
def test_a_key_is_found_in_text_of_any_encoding(what: str) -> None:
    text = f"first line\nsecond = {''.join(KEYS[what])}\n"
    for encoding in ("utf-8", "utf-16"):
        assert find_key(text.encode(encoding)) == (2, what)


@pytest.mark.parametrize(
    "parts",
    [
        ("KAGGLE", "_KEY=" + "0f" * 16),
        ("os.environ['KAGGLE", "_KEY'] = '" + "0f" * 16 + "'"),
        ("{'username': 'me', 'k", "ey': '" + "0f" * 16 + "'}"),
        ('"echo {\\"k', 'ey\\":\\"' + "0f" * 16 + '\\"}"'),  # in a notebook
        ("pass", "word = 'hunter2'"),
        ("pass", 'word: str = "hunter2"'),
        ("pass", 'word = "Tr0ub4dor$3x"'),
        ("DB_PASS", 'WORD="p@ss(word)9"'),
        ("pass", 'word = "a,b;c[d]{e}<f>"'),
        ("first=1\nspring.pass", "word=hunter2"),
        ("docker run -e DB_PASS", "WORD=hunter2 image"),
        ("redis:/", "/:pw@db"),
        ('"client', '_secret":"' + "a1" * 10 + '"'),
    ],
)
def test_a_value_after_a_telling_name_is_found(parts: tuple[str, str]) -> None:
    assert find_key("".join(parts).encode()) is not None


def test_of_two_keys_the_first_is_named() -> None:
    text = "\n\n".join("".join(KEYS[what]) for what in ("a token of npm", "a key of AWS"))
    assert find_key(text.encode()) == (1, "a token of npm")


@pytest.mark.parametrize(
    "text",
    [
        "aws_secret_access_key = os.environ[name]",
        "aws_secret_access_key: ${AWS_SECRET_ACCESS_KEY}",
        '<div class="sk-toggleable__content sk-estimator-doc-link">',
        "task-" + "a" * 40,
        "hf_hub_download(HF_TOKEN, 'hf_…')",
        "//registry.example.org/:_authToken=${NPM_TOKEN}",
        "sha256:" + "0f" * 32,
        '{"key": "a value"}',
        '{"monkey": "' + "0f" * 16 + '"}',
        "password = getpass()",
        "password: str",
        'password = ""',
        "connect(\n    password=db_password\n)",
        'password = "${DB_PASSWORD}"',
        'if password == "hunter2"',
        "DB_PASSWORD=$(cat file)",
        "PASSWORD=os.environ['PASSWORD']",
        '{"password": "string"}',
        '<input type="password" name="password">',
        "postgres://user:password@db/x",
        "https://user:${TOKEN}@host",
        "f'https://{user}:{token}@host'",
        "http://127.0.0.1:7860/@vite",
        "ssh://git@host:22/x",
        'api_key = "your-key-goes-here-1"',
        "api_key = settings.api_key",
    ],
)
def test_what_only_resembles_a_key_is_none(text: str) -> None:
    assert find_key(text.encode()) is None


@pytest.mark.parametrize(
    "name",
    [
        ".env", "prod.env", ".env.local", ".env-prod", ".envrc", ".env~", "kaggle.json", "kaggle (1).json",
        "kaggle - Copy.json", "kaggle.json.bak", "client_secret_1.json", "id_ed25519", "id_rsa.bak", "server.pem",
        "server.key.old", "credentials", "credentials.yaml", "application_default_credentials.json", "Secrets.toml",
    ],
)  # fmt: skip
def test_a_name_can_tell(name: str) -> None:
    assert is_named_like_a_secret(Path("folder") / name)


@pytest.mark.parametrize(
    "name", ["environment", "environment.yml", "tokens_of_text.py", "keys.md.bak", "id_rsa.pub", ".npmrc", "app.py"]
)
def test_ordinary_names_tell_nothing(name: str) -> None:
    assert not is_named_like_a_secret(Path("folder") / name)
