import itertools

from slimnet import ATTRIBUTES, GROUPS


def test_forty_names_in_celebas_order() -> None:
    assert len(set(ATTRIBUTES)) == len(ATTRIBUTES) == 40
    # CelebA sorts them with digits first, ignoring case.
    assert list(ATTRIBUTES) == sorted(ATTRIBUTES, key=str.lower)


def test_groups_hold_every_attribute_once() -> None:
    assert sorted(itertools.chain(*GROUPS.values())) == sorted(ATTRIBUTES)


def test_judgements_stand_apart() -> None:
    assert {"Attractive", "Young", "Male", "Chubby"} <= set(GROUPS["Impressions"])
