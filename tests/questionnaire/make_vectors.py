"""Make the vectors of docs/specs/report.md anew: ``python -m tests.questionnaire.make_vectors``."""

import json
from pathlib import Path

from questionnaire.parts import AnswersPart, format_part
from tests.questionnaire.documents import ACCOUNT, CONSENTS, HEADING, NOTES

VECTORS = Path(__file__).parent.parent / "vectors" / "report" / "documents.json"


def main() -> None:
    documents = (
        ACCOUNT,
        AnswersPart("identity", HEADING, {}),
        AnswersPart("contact", HEADING, {"n4": "після шостої"}),
        CONSENTS,
        NOTES,
    )
    written = [format_part(one).decode() for one in documents]
    vectors = {
        "what": "documents of a report in their one form; then what must be refused",
        "accepted": written,
        "refused": {**_headings(written[1]), **_notes(written[1], written[4]), **_answers(written[1])},
    }
    VECTORS.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n")


def _headings(nothing: str) -> dict[str, str]:
    return {
        "a byte more": nothing + " ",
        "not canonical": nothing.replace('"v":1', '"v": 1'),
        "another version": nothing.replace('"v":1', '"v":2'),
        "another type": nothing.replace("svidok answers", "svidok answer"),
        "a member more": nothing.replace('"v":1', '"v":1,"w":1'),
        "a member less": nothing.replace('"complete":true,', ""),
        "a document that no report has": nothing.replace('"identity"', '"names"'),
        "true for a number": nothing.replace('"seq":1', '"seq":true'),
        "a sending before the first": nothing.replace('"seq":1', '"seq":0'),
        "another door": nothing.replace('"way":"report"', '"way":"send"'),
        "a report named in capitals": nothing.replace('"report":"abab', '"report":"ABab'),
        "a language in words": nothing.replace('"uk"', '"Ukrainian"'),
        "a form without a version": nothing.replace('"version":"1"', '"version":""'),
    }


def _notes(nothing: str, notes: str) -> dict[str, str]:
    about = f'"about":"{NOTES.about}"'
    return {
        "about a file, and no notes": nothing.replace('{"answers"', f'{{{about},"answers"'),
        "notes about nothing": notes.replace(f"{about},", ""),
        "notes about null": notes.replace(about, '"about":null'),
    }


def _answers(nothing: str) -> dict[str, str]:
    wrong = {
        "an empty answer": '{"w2":""}',
        "a number for an answer": '{"w2":1}',
        "no codes": '{"w1":[]}',
        "a code twice": '{"w1":["a","a"]}',
        "a place that is two": '{"p1":{"country":"UA","words":"x"}}',
        "an empty place": '{"p1":{}}',
        "an empty word in a place": '{"p1":{"country":""}}',
        "nobody": '{"person":[{}]}',
        "people in people": '{"person":[{"v1":[{"v2":"a"}]}]}',
        "people and codes in one list": '{"person":[{"v2":"a"},"b"]}',
        "a question in capitals": '{"W2":"x"}',
        "a question of a person in capitals": '{"person":[{"V2":"x"}]}',
        "a question with a long name": f'{{"{"w" * 33}":"x"}}',
    }
    return {why: nothing.replace('"answers":{}', f'"answers":{answers}') for why, answers in wrong.items()}


if __name__ == "__main__":
    main()
