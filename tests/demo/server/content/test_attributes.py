import re

import pytest

from demo.server.content.attributes import attribute_list, display_name, grouped
from slimnet import ATTRIBUTES, GROUPS, Reliability


def test_every_attribute_has_one_box_in_its_group() -> None:
    html = attribute_list(ATTRIBUTES, "photo")
    assert sorted(re.findall(r'data-attribute="([^"]*)"', html)) == sorted(ATTRIBUTES)
    assert html.index(">Accessories<") < html.index('"Eyeglasses"') < html.index("<h3>Impressions<")


def test_a_box_carries_the_place_of_its_probability() -> None:
    html = attribute_list(ATTRIBUTES, "live")
    places = re.findall(r'data-index="(\d+)".*?data-attribute="([^"]*)"', html, re.DOTALL)
    assert {name: int(place) for place, name in places} == {name: place for place, name in enumerate(ATTRIBUTES)}


def test_two_panels_share_no_id() -> None:
    ids = [re.findall(r' id="([^"]*)"', attribute_list(ATTRIBUTES, panel)) for panel in ("live", "photo")]
    assert len(set(ids[0])) == len(ids[0]) == 3 * len(ATTRIBUTES)
    assert not set(ids[0]) & set(ids[1])


def test_every_description_of_a_box_is_there() -> None:
    html = attribute_list(ATTRIBUTES, "live")
    told = " ".join(re.findall(r'aria-describedby="([^"]*)"', html)).split()
    assert len(told) == 2 * len(ATTRIBUTES)
    assert set(told) <= set(re.findall(r' id="([^"]*)"', html))


def test_an_attribute_is_shown_with_its_measured_reliability() -> None:
    measured = (Reliability(0.844, 0.82, 0.86), Reliability(0.8465, 0.83, 0.92), Reliability(0.62, 0.55, 0.69))
    html = attribute_list(("Bangs", "Smiling", "Big_Lips"), "live", measured)
    levels = re.findall(r'class="attribute (\w+)".*?data-attribute="(\w+)".*?title="([^"]*)"', html, re.DOTALL)
    assert sorted(levels) == [
        ("fair", "Bangs", "reliability 84% (82 to 86)"),
        ("good", "Smiling", "reliability 85% (83 to 92)"),  # "good is 85% or more", as the legend says
        ("weak", "Big_Lips", "reliability 62% (55 to 69)"),
    ]
    assert "50% is guessing" in html


def test_a_note_stands_in_the_details_of_its_box_and_describes_it() -> None:
    html = attribute_list(("Male", "Smiling"), "live", notes={"Male": "Right for 42 of 100 Black women."})
    assert html.count('class="note"') == 1
    assert '<span class="note" id="live-Male-note">Right for 42 of 100 Black women.</span>' in html
    assert re.search(r'data-attribute="Male"[^>]*aria-describedby="[^"]*live-Male-note"', html)


def test_weights_without_reliability_are_said_to_have_none() -> None:
    html = attribute_list(("Smiling",), "live")
    assert "not measured for these weights" in html
    assert 'class="attribute unmeasured"' in html


def test_reliability_of_other_attributes_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        attribute_list(("Smiling", "Bangs"), "live", (Reliability(0.9, 0.8, 1.0),))


def test_impressions_stand_apart_and_are_explained() -> None:
    apart = attribute_list(ATTRIBUTES, "photo").partition('class="group impressions"')[2]
    assert re.findall(r'data-attribute="(\w+)"', apart) == list(GROUPS["Impressions"])
    assert "not facts about the person" in apart


def test_only_the_live_panel_can_be_calmed() -> None:
    assert 'class="calm"' in attribute_list(ATTRIBUTES, "live", live=True)
    assert 'class="calm"' not in attribute_list(ATTRIBUTES, "photo")


def test_names_of_other_weights_come_last_and_cannot_break_the_page() -> None:
    names = ("Smiling", 'Odd"<name>${1}')
    assert grouped(names) == {"Nose and mouth": ("Smiling",), "Other": ('Odd"<name>${1}',)}
    assert "<name>" not in attribute_list(names, "live")
    assert "${" not in attribute_list(names, "live")


def test_names_are_shown_for_people() -> None:
    assert display_name("5_o_Clock_Shadow") == "5 o'Clock Shadow"
    assert display_name("Mouth_Slightly_Open") == "Mouth Slightly Open"


def test_weights_with_operating_points_have_a_switch_and_more_details() -> None:
    html = attribute_list(("Smiling", "Bangs"), "live", (Reliability(0.9, 0.8, 1.0),) * 2, decided=True)
    assert re.findall(r'name="live-point" value="(\w+)"', html) == ["accuracy", "f1", "balanced"]
    told = " ".join(re.findall(r'aria-describedby="([^"]*)"', html)).split()
    assert len(told) == len(set(told)) == 6
    assert set(told) <= set(re.findall(r' id="([^"]*)"', html))
    assert "holds a dash" in html


def test_weights_without_them_have_none() -> None:
    html = attribute_list(ATTRIBUTES, "live")
    assert "radio" not in html
    assert "not sure" not in html
