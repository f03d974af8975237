"""What every service needs: servers, limits, problems, health, drain, logs, metrics and tracing."""
