"""From talk to facts: clauses, pronouns, answers, dates, what is not so, talk between two people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.errors import InvalidInput
from neuromem.facts import Fact, Gist, extract, gist_of, should_keep
from neuromem.facts.references import Talk
from neuromem.facts.statements import clauses


def facts_of(*said: str, **options: Any) -> list[Fact]:
    """The facts of a talk of the user alone; "A: …" is the assistant's turn."""
    turns = [("assistant", text[3:]) if text.startswith("A: ") else ("user", text) for text in said]
    return extract([{"role": role, "content": text} for role, text in turns], **options)


def texts_of(*said: str, **options: Any) -> list[str]:
    return [fact.text for fact in facts_of(*said, **options)]


def seconds(iso: str) -> float:
    return datetime.fromisoformat(iso).replace(tzinfo=UTC).timestamp()


# --- clauses --------------------------------------------------------------------------------------


def cut(sentence: str) -> list[str]:
    return [sentence[start:end] for start, end in clauses(sentence)]


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("I live in Porto and I've got two cats.", ["I live in Porto", "I've got two cats."]),
        ("my wife works in a bank and my son is six", ["my wife works in a bank", "my son is six"]),
        ("My dog is called Rex, he's a lab.", ["My dog is called Rex", "he's a lab."]),
        ("im allergic to nuts but i eat seeds", ["im allergic to nuts", "i eat seeds"]),
        # as a speech recognizer writes
        ("i moved to leeds my sister lives there", ["i moved to leeds", "my sister lives there"]),
        ("i have a dog his name is rex", ["i have a dog", "his name is rex"]),
        ("i'm a nurse i work nights at the general", ["i'm a nurse", "i work nights at the general"]),
    ],
)  # fmt: skip
def test_two_statements_are_cut_apart(sentence: str, parts: list[str]) -> None:
    assert cut(sentence) == parts


@pytest.mark.parametrize(
    "sentence",
    [
        "I like bread and butter.",
        "We have three kids, two cats and a dog.",
        "My sister Ana and my brother Tom live in Rome.",
        "the book i bought is great",
        "i bought the car my brother sold",
        "I love the house we live in.",
        "i know i live in rome",
        "she said i should move",
        "I think I like it.",
        "If I had a dog, I'd call him Rex.",
        "When I was six we moved to Ghent.",
        "I was ill because I ate oysters.",
        "Do you live in Porto and do you like it?",
    ],
)
def test_one_statement_stays_whole(sentence: str) -> None:
    assert cut(sentence) == [sentence]


@given(st.text(max_size=120) | st.text(alphabet="imy andst,hecaw'", max_size=80))
def test_cuts_stay_inside_the_sentence_and_in_order(sentence: str) -> None:
    places = [place for pair in clauses(sentence) for place in pair]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] == len(sentence)


def test_each_statement_is_a_fact_with_a_gist_of_its_own() -> None:
    facts = facts_of("I live in Porto and I've got two cats.")
    assert [str(fact.gist) for fact in facts] == ["1|home|Porto", "1|pet|two cats"]
    assert [fact.text for fact in facts] == ["I live in Porto", "I've got two cats."]


# --- pronouns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "then", "resolved"),
    [
        ("My dog name is Potola", "She loves walks", "Potola loves walks"),
        ("my dog name is potola", "she loves walks", "Potola loves walks"),
        ("My sister Mirela moved to Lyon.", "She's a nurse.", "Mirela is a nurse."),
        ("My mother called.", "She's got a cold.", "My mother has got a cold."),
        ("My parents are from Goa.", "They're retired now.", "My parents are retired now."),
        ("My boss is a woman called Ingrid.", "Her office is upstairs.", "Ingrid's office is upstairs."),
        ("our nanny is called fernanda", "shes from recife", "Fernanda is from recife"),
        ("There's a bakery here called Crumb & Sons.", "They close at 2 pm.", "Crumb & Sons close at 2 pm."),
        ("I bought a bonsai and named it Gerald.", "It only drinks rain.", "Gerald only drinks rain."),
        ("I have two brothers, Rafe and Cormac.", "the first one is a firefighter", "Rafe is a firefighter"),
        ("I have two brothers, Rafe and Cormac.", "The other one's a vet.", "Cormac is a vet."),
        ("I met Priya at work.", "And she sings, too.", "And Priya sings, too."),
        # who was introduced by what they are, or by a title
        ("Our new mayor is Ottavia Brandt.", "She taught me.", "Ottavia Brandt taught me."),
        ("There is a dentist on Mill Road, Dr. Osei.", "She is kind.", "Dr. Osei is kind."),
        ("I bought a boat, the Petrel.", "It leaks.", "The Petrel leaks."),
        ("There's a cafe called The Otter.", "It is shut.", "The Otter is shut."),
        ("theres a new guy on my team called imran", "he is tall", "Imran is tall"),
        ("there is a lodger in our attic his name is pavel", "he is tall", "Pavel is tall"),
        ("we found a carer for my mum", "she is kind", "my mum's carer is kind"),
        ("our new printer is a brother", "it jams at night", "our new printer jams at night"),
        # one of several
        ("we have two cats pepper and salt", "the second one is deaf", "Salt is deaf"),
        ("I have two bosses, Greta and Milan.", "The first one is strict.", "Greta is strict."),
        ("there are two spare keys", "the second one is lost", "the second spare key is lost"),
        ("I have two daughters, Nell and Ivy.", "The younger one sings.", "The younger daughter sings."),
    ],
)  # fmt: skip
def test_a_pronoun_takes_the_name_that_it_stands_for(said: str, then: str, resolved: str) -> None:
    talk = Talk()
    talk.hear(said)
    assert talk.resolved(then) == resolved


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("My brother told my dad about it.", "He was furious."),  # which of them?
        ("Ana and Maria came by.", "She stayed for tea."),
        ("I went to a support group yesterday.", "It was so powerful."),
        ("I love Porto.", "It's raining."),
        ("My sister Mirela is a nurse.", "He is a pilot."),
        ("My dog is called Potola.", "I love walks."),
        ("My dog is called Potola.", "You would like her."),
        ("My brother Rafe is a vet.", "The first one is a firefighter."),
        ("Is it cold out?", "She loves walks."),
        ("our new printer is a brother", "it rained all day"),
        ("I waited two hours.", "The second one was worse."),
        ("My favourite city is Lisbon.", "She loves it there."),
    ],
)
def test_what_is_not_sure_stays_as_it_is(said: str, then: str) -> None:
    talk = Talk()
    talk.hear(said)
    assert talk.resolved(then) == then


def test_a_name_told_later_joins_who_was_spoken_of() -> None:
    talk = Talk()
    for said in ("we hired a tutor for milo", "his name is mister abara"):
        talk.hear(said)
    assert talk.resolved("he is strict") == "Milo's tutor Mister Abara is strict"


def test_a_referent_is_soon_out_of_reach() -> None:
    talk = Talk()
    for sentence in ("My dog is called Potola.", *["We had soup."] * 8):
        talk.hear(sentence)
    assert talk.resolved("She loves walks.") == "She loves walks."


def test_my_mother_is_another_persons_mother_to_the_other_speaker() -> None:
    talk = Talk()
    talk.hear("My mother is a judge.", speaker="Ana", listener="Ben")
    assert talk.resolved("She is strict.", "Ben") == "Ana's mother is strict."
    talk.hear("How is your father?", speaker="Ana", listener="Ben")
    assert talk.resolved("He is fine.", "Ben") == "My father is fine."


def test_the_gist_of_a_resolved_statement_is_about_its_referent() -> None:
    _, fact = facts_of("My dog name is Potola", "She loves walks")
    assert (fact.text, fact.said, str(fact.gist)) == (
        "Potola loves walks",
        "She loves walks",
        "Potola|likes|walks",
    )


def test_earlier_turns_say_who_is_meant_when_talk_comes_one_turn_at_a_time() -> None:
    [fact] = facts_of("She loves walks", earlier=["My dog name is Potola"])
    assert fact.text == "Potola loves walks"
    [answer] = facts_of("She's in hospital.", earlier=["hello", "assistant: How is your mother?"])
    assert answer.text == "My mother is in hospital."


def test_what_was_only_imagined_is_nobody_to_refer_to() -> None:
    assert "dog" not in " ".join(texts_of("If I had a dog I'd call him Rex.", "He works in Leeds."))


@given(
    st.lists(st.text(alphabet="She loves my dg Rex's aitnIcld,.'", max_size=60), max_size=4),
    st.text(max_size=40),
)
def test_any_talk_can_be_followed(said: Sequence[str], then: str) -> None:
    talk = Talk()
    for sentence in said:
        talk.hear(sentence, "Ana", "Ben")
    assert talk.resolved(then, "Ana").endswith(then[-3:])
    assert talk.resolved(f"I {then}") == f"I {then}"


# --- what is stored -------------------------------------------------------------------------------


def test_relative_times_are_dated_from_the_time_of_their_turn() -> None:
    said = ["We adopted Biscotti from the shelter yesterday.", "My mother died last month."]
    first, second = facts_of(*said, times=[seconds("2025-05-03T10:00"), seconds("2025-01-20T10:00")])
    assert first.text == "We adopted Biscotti from the shelter yesterday [2025-05-02]."
    assert second.text == "My mother died last month [2024-12]."
    assert [first.said, second.said] == said


def test_without_times_nothing_is_dated_and_without_inference_nothing_is_altered() -> None:
    said = "My dog is called Rex. He was ill yesterday."
    assert "[" not in " ".join(texts_of(said))
    [fact] = facts_of(
        said, infer=False, times=[seconds("2025-05-03T10:00")], earlier=["My cat is called Fig."]
    )
    assert (fact.text, fact.said) == (said, said)


def test_each_turn_needs_its_time() -> None:
    with pytest.raises(InvalidInput) as caught:
        facts_of("I live in Porto.", "I have a cat.", times=[0.0])
    assert caught.value.field == "times"


def test_a_fact_can_be_made_as_before() -> None:
    fact = Fact("I like tea", Gist("1", "likes", "tea"), 0.5, False, None, "user")
    assert (fact.turn, fact.said) == (0, "")


def test_a_bare_answer_goes_with_its_question() -> None:
    dog, walks = facts_of("hello", "A: Lovely! What's your dog called?", "Potola.", "She loves long walks.")
    assert (dog.text, dog.said) == ("What's your dog called? Potola.", "Potola.")
    assert str(dog.gist) == "1|dog name|Potola"
    assert walks.text == "Potola loves long walks."


# --- what is not so -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "if i had a dog i'd call him rex",
        "If we were richer, we would live in Rome.",
        "I wish I had a boat.",
        "imagine i lived in rome",
        "Suppose I were diabetic.",
        "I would buy a farm if I won the lottery.",
        "he said i should move",
        "They think I should see a doctor.",
        "She asked me where I live.",
        "they were wondering if i have any pets",
        "whats my sister's address",
        "on which floor is my desk",
        "is my daughter allergic to anything",
        "can you remember where i parked the car",
    ],
)
def test_conditions_wishes_advice_and_questions_are_no_facts(text: str) -> None:
    assert not should_keep(text)
    assert facts_of(text) == []


@pytest.mark.parametrize(
    ("text", "gist"),
    [
        ("I don't eat meat any more", "1|diet|no meat"),
        ("i gave up smoking", "1|smoking|quit"),
        ("We don't have a car.", "1|car|none"),
        ("my sister says she hates tea", "sister|dislikes|tea"),
        ("Jonas told me he is allergic to wasps.", "Jonas|allergy|wasps"),
        ("Passed my driving test!", "1|driving test|passed"),
    ],
)
def test_negations_changes_and_what_others_say_of_themselves_are(text: str, gist: str) -> None:
    assert should_keep(text)
    assert str(gist_of(text)) == gist


# --- talk between two people ----------------------------------------------------------------------


def between(*said: str) -> list[Fact]:
    turns = [text.split(": ", 1) for text in said]
    return extract([{"role": "user", "name": name, "content": text} for name, text in turns])


def test_talk_between_people_keeps_what_tells_and_drops_the_rest() -> None:
    facts = between(
        "Ana: Hey! How have you been?",
        "Ben: Hi Ana! I started a pottery class on Tuesday and my sister joined me.",
        "Ana: Wow, that's great!",
        "Ben: Thanks! What about you?",
        "Ana: I got a puppy. His name is Rex.",
    )
    assert {fact.speaker for fact in facts} == {"Ana", "Ben"}
    told = " ".join(fact.text for fact in facts)
    assert all(word in told for word in ("pottery", "puppy"))
    assert not any(word in told for word in ("?", "great"))
    assert max(len(fact.text.encode()) for fact in facts) <= 160


def test_each_of_two_people_has_a_mother_of_their_own() -> None:
    facts = between(
        "Ana: My mother is a judge in Porto.", "Ben: She must be strict, mine was a nurse in Ghent."
    )
    assert facts[0].text == "My mother is a judge in Porto."
    assert all("my mother" not in fact.text.lower() for fact in facts if fact.speaker == "Ben")
