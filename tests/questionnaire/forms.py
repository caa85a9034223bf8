"""A small form with one of everything."""

from questionnaire.load import named
from questionnaire.logic import parse
from questionnaire.model import Choice, Form, Note, Page, Part, Question, Repeat, Text

YES_NO = (Choice("yes", {"en": "Yes", "uk": "Так"}), Choice("no", {"en": "No", "uk": "Ні"}))
ROLES = (
    Choice("victim", {"en": "It happened to me", "uk": "Це сталося зі мною"}, {"huridocs": "0101"}),
    Choice("witness", {"en": "I saw it", "uk": "Я це бачила"}),
)


def small_form() -> Form:
    return named(
        Form(
            form_id="small",
            version="1",
            title=_words("A small form"),
            languages=("en", "uk"),
            hidden=("way",),
            pages=(
                Page(name="safety", title=_words("Before"), items=(_one("r1", ROLES), Note(text=_words("Hello")))),
                Page(
                    name="what",
                    title=_words("What"),
                    relevant=parse("${way} != 'help'"),
                    items=(
                        Note(text=_words("About hard things"), content=True),
                        Question(name="w1", kind="many", label=_words("Acts"), part="account", choices=YES_NO),
                        Question(name="t1", kind="date", label=_words("When"), part="account"),
                        Question(name="p1", kind="region", label=_words("Where"), part="account"),
                        Question(name="p3", kind="point", label=_words("Place"), part="account"),
                        Question(name="w2", kind="text", label=_words("Words"), part="account"),
                    ),
                ),
                Page(
                    name="people",
                    title=_words("People"),
                    relevant=parse("selected(${w1}, 'yes') and ${r1} = 'victim'"),
                    items=(
                        Repeat(
                            name="person",
                            label=_words("A person"),
                            questions=(
                                Question(name="v2", kind="one", label=_words("Known"), part="account", choices=YES_NO),
                                Question(name="v3", kind="line", label=_words("Name"), part="identity"),
                            ),
                        ),
                    ),
                ),
                Page(
                    name="choices",
                    title=_words("Choices"),
                    items=(
                        Question(
                            name="c2",
                            kind="one",
                            label=_words("May we write?"),
                            part="consents",
                            choices=YES_NO,
                            use="consent",
                        ),
                        _one("c5", YES_NO, relevant="${way} != 'help'", part="consents"),
                    ),
                ),
                Page(name="file", title=_words("The file"), items=(_one("e3", YES_NO, part="notes"),), per_file=True),
            ),
        )
    )


def _one(name: str, choices: tuple[Choice, ...], relevant: str = "", part: Part = "account") -> Question:
    return Question(
        name=name,
        kind="one",
        label=_words(name),
        part=part,
        choices=choices,
        relevant=parse(relevant) if relevant else None,
    )


def _words(english: str) -> Text:
    return {"en": english, "uk": f"{english} українською"}
