"""Where notices may be sent: web hooks over HTTP, and services that are known to be reached over the network.

A list of what is allowed, not of what is forbidden: an address comes from whoever wrote a definition, and there are
schemes that write files, run programs or talk to what runs on the worker's own machine.
"""

from __future__ import annotations

WEBHOOKS = frozenset({"http", "https"})

SERVICES = frozenset(
    {
        "bark", "barks", "betterstack", "brevo", "discord", "feishu", "flock", "form", "forms", "gchat", "goalert",
        "goalerts", "gotify", "gotifys", "guilded", "ifttt", "ilert", "incidentio", "join", "json", "jsons", "lark",
        "line", "mailersend", "mailgun", "mailto", "mailtos", "mastodon", "mastodons", "matrix", "matrixs", "mmost",
        "mmosts", "msteams", "nctalk", "nctalks", "ntfy", "ntfys", "o365", "onesignal", "opsgenie", "pagerduty",
        "pagertree", "pbul", "plivo", "postmark", "pover", "prowl", "pushdeer", "pushdeers", "pushover", "pushy",
        "resend", "revolt", "rocket", "rockets", "ryver", "sendgrid", "ses", "signal", "signals", "signl4",
        "simplepush", "sinch", "slack", "smtp2go", "sns", "sparkpost", "spike", "splunk", "squadcast", "synology",
        "synologys", "telnyx", "tgram", "threema", "twilio", "twist", "victorops", "vonage", "webex", "wechat",
        "wecom", "wecombot", "whatsapp", "workflow", "workflows", "wxteams", "xml", "xmls", "zulip",
    }
)  # fmt: skip
"""Schemes of addresses that the extra `notify` delivers to."""


def scheme_of(address: str) -> str | None:
    """The scheme of an address in lower case; None for a text that is none."""
    scheme, separator, rest = address.partition("://")
    return scheme.lower() if separator and rest and scheme.isascii() and scheme.isalnum() else None


def problem_of(address: str, further: tuple[str, ...] = ()) -> str | None:
    """Why nothing is sent to an address, in words; None where it may be. `further` schemes are allowed too."""
    scheme = scheme_of(address)
    if scheme is None:
        return "it is not an address: scheme://…"
    if scheme in WEBHOOKS or scheme in SERVICES or scheme in further:
        return None
    return f"notices are not sent by {scheme}://"


def needs_extra(address: str) -> bool:
    """Whether only the extra `notify` can deliver there."""
    return scheme_of(address) not in WEBHOOKS
