from collections.abc import Mapping, Sequence

class ConvertResult: ...

def convert(
    xlsform: Mapping[str, Sequence[Mapping[str, str | None]]], warnings: list[str] | None = None
) -> ConvertResult: ...
