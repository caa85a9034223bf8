"""What paper says beside the form's own words, in each language that we have."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperWords:
    """The words of one language.

    Attributes:
        rules: What holds for every question.
        ways: The doors, which a browser asks by its buttons and paper must ask in words.
        only_if: Stands before a condition.
        joins: What `and`, `or` and `not` are.
        nothing: What a condition calls a question that was left out.
        date: Above the lines of a date.
        region: Above the lines of a country and a region.
        point: Above the lines of a place.
        draft: Says that nobody has approved these words.
        read: Stands before the day by which they had been read and approved.
    """

    rules: tuple[str, ...]
    way: str
    ways: Mapping[str, str]
    only_if: str
    joins: Mapping[str, str]
    nothing: str
    one: str
    many: str
    date: tuple[str, str, str, str]
    region: tuple[str, str]
    point: tuple[str, str]
    page: tuple[str, str]
    draft: str
    read: str


WORDS: Final[Mapping[str, PaperWords]] = MappingProxyType(
    {
        "en": PaperWords(
            rules=(
                "You can leave out any question. You can stop at any time.",
                "A permission that you leave blank means no.",
                "Do not keep a copy of this paper if somebody could find it.",
            ),
            way="What do you want to do?",
            ways={"report": "Tell what happened", "help": "I only want help"},
            only_if="Only if",
            joins={"and": "and", "or": "or", "not": "not"},
            nothing="(left out)",
            one="Tick one.",
            many="Tick all that apply.",
            date=("Day", "Month", "Year", "About then, I am not sure"),
            region=("Country", "Region"),
            point=("The place in your words", "Coordinates, if you know them"),
            page=("Page", "of"),
            draft="DRAFT: nobody has approved these words yet.",
            read="Read and approved:",
        ),
        "uk": PaperWords(
            rules=(
                "Ви можете пропустити будь-яке питання. Ви можете зупинитися будь-коли.",
                "Якщо про дозвіл нічого не позначено, це означає «ні».",
                "Не залишайте собі копію цього паперу, якщо хтось може її знайти.",
            ),
            way="Що ви хочете зробити?",
            ways={"report": "Розповісти, що сталося", "help": "Мені потрібна лише допомога"},
            only_if="Лише якщо",
            joins={"and": "і", "or": "або", "not": "не"},
            nothing="(пропущено)",
            one="Позначте одне.",
            many="Позначте все, що підходить.",
            date=("День", "Місяць", "Рік", "Приблизно, точно не знаю"),
            region=("Країна", "Область"),
            point=("Місце вашими словами", "Координати, якщо ви їх знаєте"),
            page=("Сторінка", "з"),
            draft="ЧЕРНЕТКА: ці слова ще ніхто не схвалив.",
            read="Прочитано і схвалено:",
        ),
        "fr": PaperWords(
            rules=(
                "Vous pouvez laisser de côté n’importe quelle question. Vous pouvez arrêter à tout moment.",
                "Une autorisation laissée vide veut dire non.",
                "Ne gardez pas de copie de ce papier si quelqu’un peut la trouver.",
            ),
            way="Que voulez-vous faire ?",
            ways={"report": "Raconter ce qui s’est passé", "help": "Je veux seulement de l’aide"},
            only_if="Seulement si",
            joins={"and": "et", "or": "ou", "not": "pas"},
            nothing="(sans réponse)",
            one="Cochez une case.",
            many="Cochez tout ce qui convient.",
            date=("Jour", "Mois", "Année", "À peu près, je n’en suis pas sûr·e"),
            region=("Pays", "Région"),
            point=("Le lieu, avec vos mots", "Coordonnées, si vous les connaissez"),
            page=("Page", "sur"),
            draft="BROUILLON : personne n’a encore approuvé ces mots.",
            read="Lu et approuvé :",
        ),
        "ar": PaperWords(
            rules=(
                "يمكنك ترك أي سؤال. يمكنك التوقف في أي وقت.",
                "الإذن الذي تتركه فارغًا يعني لا.",
                "لا تحتفظ بنسخة من هذه الورقة إذا كان أحد قد يجدها.",
            ),
            way="ماذا تريد أن تفعل؟",
            ways={"report": "أن أروي ما حدث", "help": "أريد المساعدة فقط"},
            only_if="فقط إذا",
            joins={"and": "و", "or": "أو", "not": "ليس"},
            nothing="(بلا جواب)",
            one="ضع علامة على جواب واحد.",
            many="ضع علامة على كل ما ينطبق.",
            date=("اليوم", "الشهر", "السنة", "تقريبًا، لست متأكدًا"),
            region=("البلد", "المنطقة"),
            point=("المكان بكلماتك", "الإحداثيات إن كنت تعرفها"),
            page=("صفحة", "من"),
            draft="مسودة: لم يوافق أحد على هذه الكلمات بعد.",
            read="تمت القراءة والموافقة:",
        ),
    }
)
"""A language that is not here gets the English words, as a sentence that has no translation does on the site."""
