import pytest

from dapr_local.supervise.clean_environment import clean_environment


def test_only_harmless_variables_are_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *("http_proxy", "HTTPS_PROXY", "ALL_PROXY"),
        *("DAPR_HTTP_ENDPOINT", "DAPR_GRPC_ENDPOINT", "DAPR_API_TOKEN", "DAPR_TRUST_ANCHORS", "NAMESPACE"),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "KUBERNETES_SERVICE_HOST", "SENTRY_LOCAL_IDENTITY"),
        *("PGSSLMODE", "PGHOST", "JAVA_TOOL_OPTIONS", "PYTHONWARNINGS", "PYTHONSTARTUP"),
    ):
        monkeypatch.setenv(name, "foreign")
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    inherited = clean_environment()
    assert "foreign" not in inherited.values()
    assert (inherited["PATH"], inherited["LC_ALL"]) == ("/bin", "C.UTF-8")
