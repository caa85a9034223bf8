"""Print a form: one PDF with a section for each language, each with its own count of pages."""

from collections.abc import Mapping, Sequence
from datetime import date

from weasyprint import HTML

from questionnaire.model import Form
from questionnaire.paper import paper_html


def write_pdf(form: Form, languages: Sequence[str], read: Mapping[str, date]) -> bytes:
    """Give *form* in *languages*, at least one.

    Args:
        form: The form.
        languages: In their order on paper.
        read: The approved ones, and the day by which everybody had read each; all others say that they are a draft.
    """
    sections = [HTML(string=paper_html(form, one, read.get(one))).render() for one in languages]
    return sections[0].copy([page for section in sections for page in section.pages]).write_pdf()
