"""Settings: what is accepted, and what each complaint says."""

import json

import pytest

from confsync.core.addon import AddonTerms
from confsync.errors import SecretMissing, SecretUnavailable, SettingsError
from confsync.parts import addon
from confsync.settings import ReceiveNotificationSettings, WorkerSettings, project_of
from confsync.worker_parts import outside

QUEUE = "projects/p/locations/l/queues/sync"
SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
SOLUTION = {"provider": "acme", "names": ["Acme Meet"], "url": "https://acme.example/hooks", "secrets": [SECRET]}
GOOD = {
    "TASK_QUEUE": QUEUE,
    "CONFERENCE_QUEUE": QUEUE,
    "SYNC_CALENDAR_URL": "https://worker.example",
    "NOTIFICATION_URL": "https://receiver.example",
    "CHANNEL_TOKEN_KEYS": "k2:bmV3LWtleS1uZXcta2V5LQ==, k1:b2xkLWtleS1vbGQta2V5LQ==",
    "STORE": "sqlite:/tmp/x.db",
    "CONFERENCE_SOLUTIONS": json.dumps([SOLUTION]),
}


def test_good_settings_have_sane_defaults() -> None:
    """The first key signs; the numbers are those of the rules."""
    settings = WorkerSettings.from_mapping(GOOD)
    assert [key.key_id for key in settings.channel_token_keys] == ["k2", "k1"]
    assert settings.rules().grace_s == 60
    assert settings.conference_solutions[0].secrets[0].get_secret_value() == SECRET


def test_policies_reach_the_rules() -> None:
    """What an operator sets is what plans are made by."""
    policies = {"MODE": "observe", "CLAIMS": "matching", "DUPLICATES": "mint", "DRAFT_GRACE_S": "60"}
    rules = WorkerSettings.from_mapping({**GOOD, **policies, "CALENDAR_BRAKE": "3", "TENANT_BRAKE": "4"}).rules()
    assert (rules.mode, rules.claims, rules.duplicates, rules.draft_s) == ("observe", "matching", "mint", 60)
    assert (rules.calendar_brake, rules.tenant_brake) == (3, 4)


def test_how_changes_are_announced_reaches_the_rules() -> None:
    """Push, unless an operator says otherwise."""
    assert WorkerSettings.from_mapping(GOOD).rules().ingress == "push"
    rules = WorkerSettings.from_mapping({**GOOD, "INGRESS": "poll", "POLL_INTERVAL_S": "300"}).rules()
    assert (rules.ingress, rules.poll_s) == ("poll", 300)


def test_the_receiver_knows_its_addon_and_the_tenant() -> None:
    """Whose add-on it is, what its tokens are meant for, and whose calendars they are for; without them, nobody's."""
    given = {**GOOD, "ADDON_SERVICE_ACCOUNT": "a@example.com", "ADDON_AUDIENCE": "https://r.example/addon"}
    settings = ReceiveNotificationSettings.from_mapping({**given, "ADDON_CLIENT_ID": "client", "TENANT": "acme"})
    found = addon(settings)
    assert found is not None
    assert found[0] == AddonTerms("acme", "a@example.com", "https://r.example/addon", "client")
    assert addon(ReceiveNotificationSettings.from_mapping(GOOD)) is None
    with pytest.raises(SettingsError, match=r"ADDON_AUDIENCE 'here'.*expected: URL of the receive_notification"):
        ReceiveNotificationSettings.from_mapping({**given, "ADDON_AUDIENCE": "here"})


def test_each_provider_may_have_a_queue_of_its_own() -> None:
    """The others share CONFERENCE_QUEUE; the receiver knows the queue of the syncs and needs no other."""
    own = "projects/p/locations/l/queues/zoom"
    entries = [SOLUTION, {**SOLUTION, "provider": "zoom", "queue": own}]
    given = {**GOOD, "CONFERENCE_QUEUE": f"{QUEUE}-2", "CONFERENCE_SOLUTIONS": json.dumps(entries)}
    worker = WorkerSettings.from_mapping(given)
    assert worker.queues() == {"/sync": QUEUE, "/update": f"{QUEUE}-2"}
    assert worker.provider_queues() == {"zoom": own}
    receiver = ReceiveNotificationSettings.from_mapping({k: v for k, v in GOOD.items() if k != "CONFERENCE_QUEUE"})
    assert (receiver.queues(), receiver.provider_queues()) == ({"/sync": QUEUE}, {})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("TASK_QUEUE", None, "TASK_QUEUE is not set; expected: projects/PROJECT"),
        ("TASK_QUEUE", "", "TASK_QUEUE is not set"),
        ("TASK_QUEUE", "sync", "TASK_QUEUE 'sync'.*expected: projects/PROJECT/locations"),
        ("STORE", "postgres:x", "STORE 'postgres:x'.*expected: firestore:projects/.* or sqlite:PATH"),
        ("STORE", "firestore:acme", "STORE 'firestore:acme'.*expected: firestore:projects/PROJECT/databases/DATABASE"),
        ("FIRESTORE_EMULATOR_HOST", "8080", "FIRESTORE_EMULATOR_HOST '8080'.*expected: HOST:PORT"),
        ("TASKS_TRANSPORT", "http", "TASKS_TRANSPORT 'http'.*expected: grpc or rest"),
        ("TASK_ATTEMPTS", "0", "TASK_ATTEMPTS '0'.*expected: a whole number from 1"),
        ("SIGN_IN", "magic", "SIGN_IN 'magic'.*expected: local, delegated, shared or refresh_token"),
        (
            "REFRESH_TOKEN_SECRET",
            "projects/p/secrets/all/versions/1",
            "REFRESH_TOKEN_SECRET .*expected: projects/PROJECT/",
        ),
        ("SIGN_IN_ENDPOINT", "here", "SIGN_IN_ENDPOINT 'here'.*expected: http://HOST:PORT"),
        ("INGRESS", "pull", "INGRESS 'pull'.*expected: push, poll or addon"),
        ("POLL_INTERVAL_S", "0", "POLL_INTERVAL_S '0'.*expected: a number of seconds above 0"),
        ("MODE", "watch", "MODE 'watch'.*expected: act or observe"),
        ("CLAIMS", "all", "CLAIMS 'all'.*expected: registered or matching"),
        ("DUPLICATES", "copy", "DUPLICATES 'copy'.*expected: share or mint"),
        ("DRAFT_GRACE_S", "0", "DRAFT_GRACE_S '0'.*expected: a number of seconds above 0"),
        ("CALENDAR_BRAKE", "0", "CALENDAR_BRAKE '0'.*expected: a whole number from 1"),
        ("TENANT_BRAKE", "2.5", "TENANT_BRAKE '2.5'.*expected: a whole number from 1"),
        ("END_GRACE_S", "soon", "END_GRACE_S 'soon'.*expected: a number"),
        ("END_GRACE_S", "-1", "END_GRACE_S '-1'.*expected: a number"),
        ("CHANNEL_TOKEN_KEYS", "k1:c2hvcnQ=", "CHANNEL_TOKEN_KEYS: each key is an id .* at least 16 bytes"),
        ("CHANNEL_TOKEN_KEYS", "topsecretwithoutcolon", "CHANNEL_TOKEN_KEYS: each key"),
        ("CONFERENCE_SOLUTIONS", "[{", "CONFERENCE_SOLUTIONS: it is not JSON"),
        ("CONFERENCE_SOLUTIONS", "[]", "CONFERENCE_SOLUTIONS: .*at least 1"),
        ("CONFERENCE_SOLUTIONS", json.dumps([{**SOLUTION, "names": []}]), "CONFERENCE_SOLUTIONS: 0: give at least one"),
        ("CONFERENCE_SOLUTIONS", json.dumps([{**SOLUTION, "url": "ftp://x"}]), "CONFERENCE_SOLUTIONS: 0.url"),
        (
            "CONFERENCE_SOLUTIONS",
            json.dumps([{**SOLUTION, "queue": "zoom"}]),
            "CONFERENCE_SOLUTIONS: 0.queue: .*projects",
        ),
        ("SYNC_CALENDAR_URL", "worker", "SYNC_CALENDAR_URL 'worker'.*expected: URL of the sync_calendar function"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_form(name: str, value: str | None, complaint: str) -> None:
    """One line a variable."""
    given = {**GOOD, name: value or ""} if value is not None else {k: v for k, v in GOOD.items() if k != name}
    with pytest.raises(SettingsError, match=complaint):
        WorkerSettings.from_mapping(given)


def test_all_wrong_settings_are_named_at_once() -> None:
    """Nobody wants to find them one by one."""
    with pytest.raises(SettingsError) as error:
        WorkerSettings.from_mapping({})
    assert {line.split()[0] for line in str(error.value).splitlines()} == set(GOOD)


REFERENCE = "projects/p/secrets/s/versions/latest"


def test_a_secret_may_be_given_by_reference() -> None:
    """A whole value, or a single secret within one."""
    solution = {**SOLUTION, "secrets": [f"secret:{REFERENCE}-2", SECRET]}
    given = {
        **GOOD,
        "CHANNEL_TOKEN_KEYS": f"secret:{REFERENCE}",
        "CONFERENCE_SOLUTIONS": json.dumps([solution]),
        "OAUTH_CLIENT_ID": "secret:projects/p/secrets/client/versions/3",
        "OAUTH_CLIENT_SECRET": "by value",
    }
    kept = {
        REFERENCE: GOOD["CHANNEL_TOKEN_KEYS"],
        f"{REFERENCE}-2": "whsec_YW5vdGhlci1hbm90aGVyLWFub3RoZXI=",
        "projects/p/secrets/client/versions/3": "client",
    }
    settings = WorkerSettings.from_mapping(given, kept.__getitem__)
    assert [key.key_id for key in settings.channel_token_keys] == ["k2", "k1"]
    first, second = settings.conference_solutions[0].secrets
    assert (first.get_secret_value(), second.get_secret_value()) == (kept[f"{REFERENCE}-2"], SECRET)
    assert settings.oauth_client_id == "client"
    assert not any(secret in repr(settings) for secret in ("another-another", "YW5vdGhlci1h", "by value", "new-key"))


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("secret:s", "CHANNEL_TOKEN_KEYS: a reference is secret:projects/PROJECT/secrets/SECRET/versions/VERSION"),
        (f"secret:{REFERENCE}", f"CHANNEL_TOKEN_KEYS: {REFERENCE} does not exist; expected: id:base64"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(value: str, complaint: str) -> None:
    """With the variable that it stands in."""

    def fetch(version: str) -> str:
        raise SecretMissing(f"{version} does not exist")

    with pytest.raises(SettingsError, match=complaint):
        WorkerSettings.from_mapping({**GOOD, "CHANNEL_TOKEN_KEYS": value}, fetch)


def test_what_a_reference_leads_to_is_not_shown_when_it_is_wrong() -> None:
    """The content of a secret is no less secret for being malformed."""
    with pytest.raises(SettingsError) as error:
        WorkerSettings.from_mapping({**GOOD, "CHANNEL_TOKEN_KEYS": f"secret:{REFERENCE}"}, lambda _: "hunter2")
    assert "hunter2" not in str(error.value)


def test_a_secret_that_cannot_be_had_now_is_no_wrong_setting() -> None:
    """The work comes again; nobody is told to change a setting."""

    def fetch(_: str) -> str:
        raise SecretUnavailable("no answer")

    with pytest.raises(SecretUnavailable):
        WorkerSettings.from_mapping({**GOOD, "CHANNEL_TOKEN_KEYS": f"secret:{REFERENCE}"}, fetch)


@pytest.mark.parametrize(
    ("variables", "project"),
    [
        ({"TASK_QUEUE": QUEUE}, "p"),
        ({"TASK_QUEUE": QUEUE, "GOOGLE_CLOUD_PROJECT": "other"}, "other"),
        ({"TASK_QUEUE": "wrong"}, None),
    ],
)
def test_the_project_of_the_traces_is_known_without_other_settings(
    variables: dict[str, str], project: str | None
) -> None:
    """A line about wrong settings is to be found by its trace, too."""
    assert project_of(variables) == project


@pytest.mark.parametrize("name", ["DELEGATE", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "REFRESH_TOKEN_SECRET"])
def test_a_way_to_sign_in_names_what_it_needs(name: str) -> None:
    """Whoever chooses it is told which variable is missing, and its form."""
    mode = "delegated" if name == "DELEGATE" else "refresh_token"
    needed = {
        "DELEGATE": "d@p.iam.gserviceaccount.com",
        "OAUTH_CLIENT_ID": "c",
        "OAUTH_CLIENT_SECRET": "s",
        "REFRESH_TOKEN_SECRET": "projects/p/secrets/token-{subject_hash}/versions/latest",
    }
    outside(WorkerSettings.from_mapping({**GOOD, **needed, "SIGN_IN": mode}))
    with pytest.raises(SettingsError, match=f"{name} is not set, and SIGN_IN={mode} needs it; expected: "):
        outside(WorkerSettings.from_mapping({**GOOD, **needed, name: "", "SIGN_IN": mode}))


@pytest.mark.parametrize("name", ["CHANNEL_TOKEN_KEYS", "CONFERENCE_SOLUTIONS"])
def test_a_secret_is_never_shown(name: str) -> None:
    """Neither in a complaint nor in the settings' own text."""
    with pytest.raises(SettingsError) as error:
        WorkerSettings.from_mapping({**GOOD, name: "hunter2"})
    assert "hunter2" not in str(error.value)
    assert "new-key" not in repr(WorkerSettings.from_mapping(GOOD))
    assert SECRET not in repr(WorkerSettings.from_mapping(GOOD))
