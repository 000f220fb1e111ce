from demo.server.content.disclosure import disclosure
from slimnet import ATTRIBUTES


def test_it_names_the_operator_and_what_is_read() -> None:
    told = disclosure("Museum of Hats", ATTRIBUTES)
    assert "Museum of Hats</bdi> runs this page." in told
    assert "hair, glasses and impressions of age and sex" in told
    assert "pictures are not stored" in told


def test_attributes_of_other_weights_are_named_as_they_are() -> None:
    told = disclosure("A", ("Eye_Patch", "<i>", "Smoking", "Parrot"))
    assert "such as Eye Patch, &lt;i&gt;, Smoking;" in told


def test_without_an_operator_there_is_no_sentence() -> None:
    assert disclosure(None, ATTRIBUTES) == ""


def test_a_name_cannot_break_the_page() -> None:
    assert "<b>" not in disclosure('<b>&"${x}', ATTRIBUTES)
