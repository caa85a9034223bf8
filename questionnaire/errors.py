"""What can be wrong with a questionnaire."""

from hardening.errors import HardeningError


class QuestionnaireError(HardeningError):
    """A questionnaire, or something that belongs to one, is not as it must be."""


class FormFileError(QuestionnaireError):
    """A compiled form is malformed, or contradicts itself."""


class ExpressionError(QuestionnaireError):
    """A condition is not written in the little language that conditions have."""


class DateError(QuestionnaireError):
    """A partial date names a day that no calendar has."""


class AnswersPartError(QuestionnaireError):
    """A sealed document of a report is malformed, too long, or not what belongs there."""


class ApprovalError(QuestionnaireError):
    """An approval is malformed, or names the same reader twice."""
