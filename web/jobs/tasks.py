"""Which service function does a job, by the name of its task."""

from collections.abc import Callable, Mapping

from web.ports import Parts
from web.services import queue

Task = Callable[[Parts, Mapping[str, str]], object]

TASKS: dict[str, Task] = {
    "plan": lambda parts, arguments: queue.plan(parts, arguments["study"]),
    "generate": lambda parts, arguments: queue.generate(parts, arguments["experiment"]),
    "learn": lambda parts, arguments: queue.learn(parts, arguments["study"]),
}
