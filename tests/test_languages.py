"""What is not English is kept as it is said, and ends nothing: neither rules nor networks can read it."""

from __future__ import annotations

import pytest
from conftest import FakeClock

from neuromem import Memory
from neuromem.facts import should_keep
from neuromem.facts.languages import is_foreign

TOLD = {  # a home, work, an allergy, the violin or coffee, a father, a wife's name, the code of the garage
    "el": (
        "Μένω στην Πάτρα.|Δουλεύω ως φούρναρης.|Είμαι αλλεργικός στους ξηρούς καρπούς.|"
        "Παίζω βιολί.|Ο πατέρας μου είναι γιατρός.|Η γυναίκα μου λέγεται Κλάρα.|"
        "Ο κωδικός του γκαράζ είναι 4471."
    ),
    "ru": (
        "Я живу в Москве.|Я работаю медсестрой.|У моей дочери аллергия на арахис.|"
        "Я играю на скрипке.|Мой отец врач.|Мою жену зовут Клара.|Код гаража 4471."
    ),
    "ja": (
        "私は東京に住んでいます。|私は看護師です。|娘はピーナッツアレルギーです。|"
        "私はバイオリンを弾きます。|父は医者です。|妻の名前はクララです。|"
        "車庫の暗証番号は4471です。"
    ),
    "zh": (
        "我住在上海。|我是护士。|我女儿对花生过敏。|我拉小提琴。|我爸爸是医生。|我的妻子叫克拉拉。|"
        "车库密码是4471。"
    ),
    "he": (
        "אני גר בחיפה.|אני עובד כאופה.|הבת שלי אלרגית לבוטנים.|אני מנגן בכינור.|אבא שלי רופא.|"
        "לאשתי קוראים קלרה.|הקוד של החניה הוא 4471."
    ),
    "ar": (
        "أسكن في عمان.|أعمل خبازا.|ابنتي لديها حساسية من الفول السوداني.|أعزف على الكمان.|"
        "أبي طبيب.|زوجتي اسمها كلارا.|رمز المرآب هو 4471."
    ),
    "de": (
        "Ich wohne in Berlin.|Ich arbeite als Bäcker.|Meine Tochter ist gegen Erdnüsse allergisch.|"
        "Ich spiele Geige.|Mein Vater ist Arzt.|Meine Frau heißt Clara.|"
        "Der Code der Garage ist 4471."
    ),
    "es": (
        "Vivo en Madrid.|Trabajo como enfermera.|Mi hija es alérgica a los cacahuetes.|"
        "No me gusta el café.|Mi padre es médico.|Mi esposa se llama Clara.|"
        "El código del garaje es 4471."
    ),
    "fr": (
        "J'habite à Lyon.|Je travaille comme infirmière.|Ma fille est allergique aux cacahuètes.|"
        "Je joue du violon.|Mon père est médecin.|Ma femme s'appelle Clara.|"
        "Le code du garage est 4471."
    ),
    "vi": (
        "Tôi sống ở Hà Nội.|Tôi làm y tá.|Con gái tôi dị ứng với đậu phộng.|Tôi chơi đàn vĩ cầm.|"
        "Bố tôi là bác sĩ.|Vợ tôi tên là Clara.|Mã nhà để xe là 4471."
    ),
}
ENGLISH = """My dog is called Potola.|Zofia Kowalska moved to Kraków.|sold the yamaha|it's a ranger
|Łukasz rang|rufus is history|i met ben in the van|El Paso is hot|we had pad thai
|she has shifted to indore|Tuesdays now"""


@pytest.mark.parametrize("language", TOLD)
@pytest.mark.parametrize("talk", [False, True], ids=["words", "talk"])
def test_unrelated_facts_of_another_language_are_all_kept(
    language: str, talk: bool, fake_clock: FakeClock
) -> None:
    said = TOLD[language].split("|")
    with Memory(clock=fake_clock) as memory:
        for text in said:
            fake_clock.advance(hours=1)
            memory.add([{"role": "user", "content": text}] if talk else text, user_id="ana")
        held = memory.all(user_id="ana")
        assert [recall.text for recall in held] == said
        assert [recall.text for recall in held if recall.superseded_by] == []
        for text in said:
            found = memory.search(text, user_id="ana", rehearse=False)
            assert text in [recall.text for recall in found[:2]]


@pytest.mark.parametrize("text", ENGLISH.replace("\n", "").split("|"))
def test_names_and_scraps_are_no_other_language(text: str) -> None:
    assert not is_foreign(text)


@pytest.mark.parametrize(
    "text", ["Guten Morgen!", "¿Dónde vivo?", "Πού μένω;", "我住在哪里？", "أين أسكن؟", "Merci."]
)
def test_questions_and_calls_of_another_language_are_not_kept(text: str) -> None:
    assert not should_keep(text)


def test_a_pinned_fact_is_ended_by_a_rule_and_not_by_a_reading(fake_clock: FakeClock) -> None:
    with Memory(clock=fake_clock) as memory:
        memory.add("Never forget that the bank pin is 1122.", user_id="ana")
        fake_clock.advance(hours=1)
        memory.add("Never forget that the phone pin is 4455.", user_id="ana")
        assert [recall.superseded_by for recall in memory.all(user_id="ana")] == [None, None]
        memory.add("The bank pin is 9988 now.", user_id="ana")
        assert memory.search("what is the bank pin?", user_id="ana")[0].text.endswith("9988 now.")
