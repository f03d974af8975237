"""The parts of every service: servers, limits, problems, health, drain, logs, metrics and tracing."""
