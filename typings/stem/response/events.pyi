from collections.abc import Mapping

class Event: ...

class HSDescEvent(Event):
    action: str
    address: str

class StatusEvent(Event):
    action: str
    arguments: Mapping[str, str]
