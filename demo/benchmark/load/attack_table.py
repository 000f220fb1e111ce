"""The record of `python -m demo.benchmark attack` as a table."""

from typing import Any

_HEADER = (
    "what is sent", "bytes", "addresses", "frames answered", "longest wait, s", "photos answered", "longest wait, s",
    "wrong answers", "answers to the attack", "memory, MB", "log, bytes",
)  # fmt: skip


def attack_table(attacks: list[dict[str, Any]]) -> str:
    """Write a Markdown table with a row for each attack.

    Args:
        attacks: `demo.benchmark.attack.measure.Attacked` of each, as JSON.
    """
    lines = [_HEADER, ("---",) * len(_HEADER), *(_row(attack) for attack in attacks)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(attack: dict[str, Any]) -> tuple[str, ...]:
    answers = sorted(attack["answers"].items())
    none = "none yet" if attack.get("ends", True) else "none, as none ends"  # older records don't say which end
    return (
        attack["name"],
        f"{attack['request_bytes']:,}",
        str(attack["addresses"]),
        str(attack["frames"]),
        f"{attack['longest_frame_wait']:.2f}",
        str(attack["photos"]),
        f"{attack['longest_photo_wait']:.2f}",
        str(len(attack["failures"])),
        ", ".join(f"{answer}: {count}" for answer, count in answers) or none,
        f"{attack['memory_mb']:.0f}" if attack["memory_mb"] else "",
        str(attack["log_bytes"]),
    )
