"""What makes outputs while one waits, as a generator that is begun and looked at."""

from collections.abc import Mapping

from ml_service.errors import InvalidRequest, TooLarge
from ml_service.wire.contract import ParameterSpace
from web.ports.making import GenerateRequest, Maker, Outcome, Refused, Ticket, Unknown


class AtOnce:
    """Makes on this machine, for nothing, when it is looked at."""

    at_once: int | None = None

    def __init__(self, maker: Maker) -> None:
        self.maker, self.name = maker, maker.name

    def space(self) -> ParameterSpace:
        """Return the parameters that can be tuned, with ranges, units and defaults."""
        return self.maker.space()

    def limits(self) -> Mapping[str, int]:
        """Return the components of a prompt that it reads, and how many characters it takes of each."""
        return self.maker.limits()

    def price(self, request: GenerateRequest) -> int:
        """Return 0: this machine is paid for."""
        return 0

    def begin(self, request: GenerateRequest) -> Ticket:
        """Return a ticket that keeps the request."""
        return Ticket(request=request)

    def look(self, ticket: Ticket) -> Outcome:
        """Make what the ticket asks for; one without a request is Unknown."""
        if ticket.request is None:
            return Unknown()
        try:
            return self.maker.generate(ticket.request)
        except (InvalidRequest, TooLarge) as error:
            return Refused(str(error))
