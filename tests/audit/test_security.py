from __future__ import annotations

import json

import pytest

from activities.audit.credentials import cleaned, entropy, mask, masked
from tests.audit.repository import Repository

# Put together here so that no scanner takes this file for a leak.
AWS = "AKIA" + "Z7Q3XN2M5K4P6R2T"
GITHUB = "ghp_" + "a8Fk2LmQ9xZ1cV5bN7mK3jH6gD4sP0oIuYtR"
RANDOM = "q8Zr4" + "Lw0Xn7Tb2Vk9Pd"
KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"


def test_planted_credentials_are_found_with_file_and_line_and_never_shown(repository: Repository) -> None:
    repository.write(
        {
            "settings.py": f'import os\n\nAWS_ID = "{AWS}"\nDB_PASSWORD = "{RANDOM}"\n',
            "deploy/id_rsa": f"{KEY}\nMIIEow\n",
            ".env": f"# local\nexport API_TOKEN={RANDOM}x1\n",
            "docs/setup.md": f"curl -H 'Authorization: token {GITHUB}' https://example.org\n",
            "ci.yml": f"url: postgres://app:{RANDOM}@db.internal/app\n",
        }
    )
    outputs = repository.audit("security")
    found = {(f["file"], f["line"], f["rule"]) for f in outputs["findings"] if f["tool"] == "secrets"}
    assert found == {
        ("settings.py", 3, "aws-access-key"),
        ("settings.py", 4, "secret-assigned"),
        ("deploy/id_rsa", 1, "private-key"),
        (".env", 2, "secret-assigned"),
        ("docs/setup.md", 1, "github-token"),
        ("ci.yml", 1, "url-password"),
    }
    assert outputs["secrets"] == 6
    text = json.dumps(outputs)
    assert not [secret for secret in (AWS, GITHUB, RANDOM) if secret in text]
    assert "AKIA\\u2026(20 characters)" in text


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme-please-now"',
        'api_key = "YOUR_API_KEY_GOES_HERE"',
        'token = os.environ["SERVICE_TOKEN"]',
        'secret = "${VAULT_SECRET_PATH_1}"',
        "token_url = 'https://login.internal/oauth/token1'",
        'TOKEN_TYPE = "bearer_token_type"',
        'password_field = "user.password.value"',
        'key = "AKIAIOSFODNN7EXAMPLE"',
        'dsn = "postgres://user:password@localhost/db"',
        'url = "https://user:$PASSWORD@host/x"',
    ],
)
def test_placeholders_names_and_references_are_no_credentials(repository: Repository, line: str) -> None:
    repository.write({"settings.py": line + "\n"})
    assert repository.rules("security", "secrets") == set()


def test_bandit_finds_what_is_insecure_also_in_hidden_directories(repository: Repository) -> None:
    call = "import subprocess\n\n\ndef run(name):\n    subprocess.call('ls ' + name, shell=True)\n"
    repository.write({"app.py": call, ".github/scripts/tool.py": call, "tests/test_app.py": call + "\nassert run\n"})
    outputs = repository.audit("security")
    severity = {f["file"]: f["severity"] for f in outputs["findings"] if f["rule"] == "B602"}
    assert severity == {"app.py": "high", ".github/scripts/tool.py": "high", "tests/test_app.py": "low"}
    assert not [f for f in outputs["findings"] if f["rule"] == "B101"]
    assert outputs["complete"] is True


def test_the_repositorys_own_settings_silence_nothing(repository: Repository) -> None:
    repository.write(
        {
            "app.py": "eval(input())\nexec(input())  # nosec\n",
            ".bandit": "[bandit]\nskips: B307\nexclude: /\n",
            "bandit.yaml": "skips: [B307]\n",
            "setup.cfg": "[bandit]\nskips = B307\n",
            "pyproject.toml": '[tool.bandit]\nskips = ["B307"]\nexclude_dirs = ["."]\n',
        }
    )
    outputs = repository.audit("security")
    assert ("app.py", 1, "B307") in {(f["file"], f["line"], f["rule"]) for f in outputs["findings"]}
    assert outputs["suppressed"] >= 1  # what the authors have marked stays quiet, and is counted


def test_a_password_that_bandit_quotes_is_not_repeated(repository: Repository) -> None:
    repository.write({"a.py": 'password = "hunter2 is short"\nconnect(password="hunter2 again")\n'})
    text = json.dumps(repository.audit("security"))
    assert "B105" in text
    assert "hunter2" not in text


def test_lines_are_counted_as_editors_count_them(repository: Repository) -> None:
    repository.write({"a.py": f"x = 1\n\x0c\ny = '\u2028'\r\nTOKEN = '{RANDOM}'\r\n"})
    assert repository.rules("security", "secrets") == {("a.py", 4, "secret-assigned")}


def test_text_made_to_slow_a_scanner_down_does_not(repository: Repository) -> None:
    repository.write({"a.txt": "gl" * 400_000, "b.py": "print\t'x'\n" + "\n" * 900_000, "c.md": "token=" * 150_000})
    assert repository.rules("security", "secrets") == set()
    assert repository.audit("quality")["python_2_files"] == 1


def test_messages_of_other_tools_are_masked_and_short() -> None:
    assert cleaned(f"key {GITHUB}\x1b[31m") == "key ghp_…(40 characters)\\x1b[31m"
    assert len(cleaned("x" * 5000)) == 301


def test_binary_lock_and_tabular_files_are_passed_over(repository: Repository) -> None:
    repository.write(
        {"a.bin": b"\0\1" + GITHUB.encode(), "poetry.lock": f'token = "{RANDOM}"', "t.csv": f"token={RANDOM}\n"}
    )
    assert repository.rules("security", "secrets") == set()


def test_masks_keep_a_prefix_at_most() -> None:
    assert masked(f"found '{GITHUB}' here") == "found 'ghp_…(40 characters)' here"
    assert mask("abcdefgh") == "…(8 characters)"
    assert entropy("aaaa") == 0
    assert entropy("abcd") == 2
