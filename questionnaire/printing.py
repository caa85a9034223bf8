"""Print a form: one PDF with a section for each language, each with its own count of pages."""

from collections.abc import Collection, Sequence

from weasyprint import HTML

from questionnaire.model import Form
from questionnaire.paper import paper_html


def write_pdf(form: Form, languages: Sequence[str], approved: Collection[str]) -> bytes:
    """Give *form* in *languages*, at least one; those that are not *approved* say that they are a draft."""
    sections = [HTML(string=paper_html(form, one, draft=one not in approved)).render() for one in languages]
    return sections[0].copy([page for section in sections for page in section.pages]).write_pdf()
