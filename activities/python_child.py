"""The process that an agent with `uses: python` is: calls one function of the project and says what came of it.

Run by its path, so nothing of ours is imported here and the project's modules may have any names. Everything it needs
itself is imported before the project's path goes in front.

Arguments: the root of the project, `module:function`, a file with the keyword arguments, and the file for the report.
"""

import asyncio
import difflib
import importlib
import inspect
import json
import os
import pkgutil
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

NESTED = 40
"""Names that a suggestion is looked for among, at most, so that an odd path costs no time."""


class _Refused(Exception):  # noqa: N818 - the name of what happened, not shown to anybody
    """What cannot be called, or cannot be handed back; `code` is the failure's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Agent:
    """What a function with a parameter `phaseloom` gets: a word to the others at work, and a look at them."""

    def publish(self, value: Any) -> None:
        """Publish a JSON value as this agent's progress, in place of the one before.

        Others see it within some seconds; of what follows quicker only the last. Raises TypeError and ValueError for
        what is not JSON.
        """
        text = json.dumps(value, allow_nan=False)
        path = os.environ["PHASELOOM_PUBLISH"]
        with open(f"{path}.new", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is nothing this process needs
            file.write(text)
        os.replace(f"{path}.new", path)  # noqa: PTH105

    def siblings(self, timeout: float = 30.0) -> dict[str, Any]:
        """What runs beside this agent now, all of one moment: ask again for a newer one.

        Waits for the answer, usually less than half a second; raises TimeoutError where none comes in time.
        """
        ask, ends = os.environ["PHASELOOM_ASK"], time.monotonic() + timeout
        with open(ask, "w", encoding="ascii"):  # noqa: PTH123
            pass
        while os.path.exists(ask):  # noqa: PTH110
            if time.monotonic() > ends:
                raise TimeoutError(f"no answer about the siblings within {timeout:g}s")
            time.sleep(0.02)  # noqa: TID251 - the answer is another process's file
        with open(os.environ["PHASELOOM_SIBLINGS"], encoding="ascii") as file:  # noqa: PTH123
            return json.load(file)  # type: ignore[no-any-return]  # the worker writes an object


def main(root: str, name: str, arguments: str, report: str) -> int:
    """Call the function; its outputs go to `$PHASELOOM_OUTPUT`. The exit code is 0 where it returned."""
    with open(arguments, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is nothing this process needs
        given = json.load(file)
    sys.path.insert(0, root)
    sys.argv = [name]
    try:
        _write(os.environ["PHASELOOM_OUTPUT"], _outputs(name, _called(_found(name), name, given)))
    except _Refused as refused:
        print(f"{name}: {refused}", file=sys.stderr)  # noqa: T201 - goes to the phase's log
        _write(report, {"code": refused.code, "message": str(refused)})
        return 1
    except SystemExit as leaving:
        return _left(report, leaving)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the function's failure
        return _raised(report, error)
    _write(report, {"code": None, "message": ""})
    return 0


def _found(name: str) -> Callable[..., Any]:
    module_name, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # the module is there, and one that it imports is not
        raise _Refused("not_found", _no_module(module_name, error.name)) from None
    found: Callable[..., Any] | None = getattr(module, attribute, None)
    if found is None:
        names = [other for other, value in vars(module).items() if callable(value) and not other.startswith("_")]
        place = getattr(module, "__file__", None) or module_name
        message = f"no function '{attribute}' in {place}{_meant(attribute, names)}"
        raise _Refused("not_found", message)
    if not callable(found):
        raise _Refused("not_found", f"'{attribute}' in {module_name} is {type(found).__name__}, not a function")
    return found


def _no_module(wanted: str, missing: str) -> str:
    parent, _, last = missing.rpartition(".")
    path = list(getattr(sys.modules.get(parent), "__path__", ())) if parent else sys.path
    if parent and not path:
        return f"no module '{wanted}': '{parent}' is a module, not a package"
    places = [place or "." for place in path if not place.endswith(".zip")]
    more = f" and {len(places) - 2} more" if len(places) > 2 else ""
    found = (module.name for module in pkgutil.iter_modules(places[:1]))
    return f"no module '{missing}' (searched {', '.join(places[:2])}{more}){_meant(last, found)}"


def _meant(word: str, names: Iterator[str] | list[str]) -> str:
    close = difflib.get_close_matches(word, list(names), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _called(function: Callable[..., Any], name: str, given: dict[str, Any]) -> object:
    try:
        signature = inspect.signature(function)
        if "phaseloom" in signature.parameters and "phaseloom" not in given:
            given = {**given, "phaseloom": Agent()}
        signature.bind(**given)
    except TypeError as error:
        raise _Refused("expression", f"the args do not fit {name}: {error}") from None
    except ValueError:
        pass  # a function of C without a signature: the call itself will tell
    value = function(**given)
    return asyncio.run(_awaited(value)) if inspect.isawaitable(value) else value


async def _awaited(value: Awaitable[Any]) -> object:
    return await value


def _outputs(name: str, value: object) -> dict[str, Any] | None:
    """A dict is outputs, nothing is none (what the function may have written itself stays), else it is `result`."""
    if value is None:
        return None
    outputs = value if isinstance(value, dict) else {"result": value}
    if wrong := [key for key in outputs if not isinstance(key, str)]:
        raise _Refused("bad_output", f"{name} returned a dict with {wrong[0]!r} as a key; outputs have names")
    try:
        json.dumps(outputs, allow_nan=False, default=_refuse)
    except _Refused as refused:
        raise _Refused("bad_output", f"{name} returned what is not JSON: {refused}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise _Refused("bad_output", f"{name} returned what is not JSON: {error}") from None
    return outputs


def _refuse(value: object) -> object:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    raise _Refused("bad_output", f"a value of type {module}{kind.__qualname__}")


def _write(path: str, value: dict[str, Any] | None) -> None:
    if value is not None:
        with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is nothing this process needs
            json.dump(value, file)


def _left(report: str, leaving: SystemExit) -> int:
    """The exit code of a function that called `sys.exit`: as the interpreter reads it."""
    code = leaving.code
    if code is None or code == 0:
        _write(report, {"code": None, "message": ""})
        return 0
    if isinstance(code, int):
        _write(report, {"code": "exit_code", "message": f"called sys.exit({code})"})
        return code & 0xFF or 1
    print(code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    _write(report, {"code": "exit_code", "message": f"called sys.exit: {str(code)[:300]}"})
    return 1


def _raised(report: str, error: BaseException) -> int:
    """Show the traceback from the project's first line on: the lines of this file and of importing mean nothing."""
    told = traceback.TracebackException.from_exception(error)
    ours = [frame.filename == __file__ or "importlib" in frame.filename for frame in told.stack]
    if False in ours:
        del told.stack[: ours.index(False)]
    print("".join(told.format()), end="", file=sys.stderr)  # noqa: T201 - goes to the phase's log
    words = "".join(traceback.format_exception_only(error)).strip().splitlines()
    _write(
        report,
        {"code": "exit_code", "message": (words[-1] if isinstance(error, SyntaxError) else " ".join(words))[:400]},
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
