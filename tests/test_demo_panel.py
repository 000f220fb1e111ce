import re

from demo.panel import attribute_list, display_name, grouped
from slimnet import ATTRIBUTES


def test_every_attribute_has_one_box_in_its_group() -> None:
    html = attribute_list(ATTRIBUTES, "photo")
    assert sorted(re.findall(r'data-attribute="([^"]*)"', html)) == sorted(ATTRIBUTES)
    assert html.index(">Accessories<") < html.index('"Eyeglasses"') < html.index(">Impressions<")


def test_a_box_carries_the_place_of_its_probability() -> None:
    html = attribute_list(ATTRIBUTES, "live")
    places = re.findall(r'data-index="(\d+)".*?data-attribute="([^"]*)"', html)
    assert {name: int(place) for place, name in places} == {name: place for place, name in enumerate(ATTRIBUTES)}


def test_two_panels_share_no_id() -> None:
    ids = [set(re.findall(r' id="([^"]*)"', attribute_list(ATTRIBUTES, panel))) for panel in ("live", "photo")]
    assert len(ids[0]) == 80
    assert not ids[0] & ids[1]


def test_names_of_other_weights_come_last_and_cannot_break_the_page() -> None:
    names = ("Smiling", 'Odd"<name>')
    assert grouped(names) == {"Nose and mouth": ("Smiling",), "Other": ('Odd"<name>',)}
    assert "<name>" not in attribute_list(names, "live")


def test_names_are_shown_for_people() -> None:
    assert display_name("5_o_Clock_Shadow") == "5 o'Clock Shadow"
    assert display_name("Mouth_Slightly_Open") == "Mouth Slightly Open"
